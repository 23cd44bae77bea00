using System.ComponentModel;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>Which models to list; for clients that speak Anthropic's wire, since OpenAI's list has no pages.</summary>
public sealed record ListModelsRequest
{
    /// <summary>The name after which the page begins.</summary>
    [FromQuery(Name = "after_id")]
    [Description("With `anthropic-version`: the model after which the page begins, the `last_id` of the page before.")]
    public string? AfterId { get; init; }

    /// <summary>The name before which the page ends.</summary>
    [FromQuery(Name = "before_id")]
    [Description("With `anthropic-version`: the model before which the page ends, the `first_id` of the page after.")]
    public string? BeforeId { get; init; }

    /// <summary>Models a page.</summary>
    [FromQuery(Name = "limit")]
    [Description("With `anthropic-version`: models a page, 1 to 1000; 20 if left out.")]
    public string? Limit { get; init; }
}

internal sealed class ListModels(Catalogue catalogue) : IEndpoint
{
    private const int UsualSize = 20;
    private const int LargestSize = 1000;

    private static readonly HttpError InvalidLimit = new(
        400,
        "invalid-limit",
        "limit: give a whole number from 1 to 1000."
    );

    private static readonly HttpError UnknownModel = new(
        400,
        "invalid-cursor",
        "after_id, before_id: give one of the two, with the id of a model that is listed."
    );

    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/models", HandleAsync)
            .RequireScope(Scopes.ModelsRead)
            .WithMetadata(ModelsDialect.Instance)
            .WithTags("OpenAI")
            .WithSummary("List models")
            .WithDescription(
                "The models that you can ask, as OpenAI's API lists them; as Anthropic's does, page by page, for clients that send `anthropic-version`. Names that a pattern serves are not listed."
            )
            .Produces<ModelList>()
            .WithResponseExample(StatusCodes.Status200OK, new ModelList("list", [Model.Example]))
            .ProducesError(400, "invalid_limit", InvalidLimit.Message)
            .ProducesError(400, "invalid_cursor", UnknownModel.Message);

    private Task HandleAsync([AsParameters] ListModelsRequest request, HttpContext http, Caller caller)
    {
        var routes = catalogue.ViewOf(caller).Exact;
        if (!ModelsDialect.IsAnthropic(http.Request))
            return TypedResults
                .Ok(new ModelList("list", [.. routes.Select(static r => Model.From(r, r.Model))]))
                .ExecuteAsync(http);
        var page = PageOf(routes, request, out var error);
        return page is null
            ? ModelsDialect.Instance.WriteAsync(http, error!)
            : TypedResults.Ok(page).ExecuteAsync(http);
    }

    /// <summary>A page as Anthropic's API cuts it: newest first; before an id come the ones nearest to it.</summary>
    internal static AnthropicModelPage? PageOf(
        IReadOnlyList<Route> routes,
        ListModelsRequest request,
        out HttpError? error
    )
    {
        error = null;
        var size = UsualSize;
        if (
            request.Limit is { } limit
            && (
                !int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out size)
                || size is < 1 or > LargestSize
            )
        )
        {
            error = InvalidLimit;
            return null;
        }
        var models = routes
            .Select(static r => AnthropicModel.From(r, r.Model))
            .OrderByDescending(static m => m.CreatedAt)
            .ThenBy(static m => m.Id, StringComparer.Ordinal)
            .ToList();
        var from = 0;
        var to = models.Count;
        if (request.AfterId is { } after)
            from = models.FindIndex(m => m.Id == after) + 1;
        if (request.BeforeId is { } before)
            to = models.FindIndex(m => m.Id == before);
        if ((request.AfterId is not null && (from == 0 || request.BeforeId is not null)) || to < 0)
        {
            error = UnknownModel;
            return null;
        }
        if (request.BeforeId is not null)
            from = Math.Max(0, to - size);
        var page = models[from..Math.Min(to, from + size)];
        var hasMore = request.BeforeId is null ? from + size < to : from > 0;
        return new AnthropicModelPage(
            page,
            hasMore,
            page.Count == 0 ? null : page[0].Id,
            page.Count == 0 ? null : page[^1].Id
        );
    }
}
