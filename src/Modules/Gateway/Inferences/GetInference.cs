using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Retentions;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>How much of a call to answer with.</summary>
public sealed record GetInferenceRequest
{
    /// <summary>With the bodies or without.</summary>
    [QueryWord("true", "false")]
    [Description("`false` leaves the bodies of request and answer out.")]
    public string? Bodies { get; init; }
}

internal sealed class GetInference : IEndpoint
{
    private static readonly HttpError NotFound = new(
        StatusCodes.Status404NotFound,
        "gateway.inference-not-found",
        "There is no model call of this id that you may see."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/inferences/{id:guid}", HandleAsync)
            .RequireScope(Scopes.InferencesRead)
            .WithTags("Inferences")
            .WithSummary("Read a model call")
            .WithDescription(
                """
                All that is on record about a call: what was asked, byte by byte, every try at a provider, and what was answered. It is read from the
                log, so it is there from the moment the call began, and `ETag` is the version of its stream. `events` is where an auditor reads the
                events themselves. What is older than the organization's retention allows comes without bodies, or not at all.
                """
            )
            .WithResponseExample(StatusCodes.Status200OK, InferenceResponse.Example)
            .ProducesError(NotFound.Status, NotFound.Code, NotFound.Message);

    private static async Task<Results<Ok<InferenceResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The call: `x-verbatim-inference-id` of its answer.")] Guid id,
        [AsParameters] GetInferenceRequest request,
        HttpContext http,
        Caller caller,
        DocumentStore store,
        EventStore events,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        if (await store.LoadAsync<Inference>(caller.Access, id, cancellationToken) is not { } call)
            return Problems.Create(NotFound);

        RecordedEvent? first = null;
        RecordedEvent? last = null;
        await foreach (var recorded in events.ReadStreamAsync(caller.TenantId, id, 1, call.Version, cancellationToken))
        {
            first ??= recorded;
            last = recorded;
        }
        var retention = await Retention.LoadAsync(store, caller.TenantId, cancellationToken);
        var now = time.GetUtcNow();
        if (first!.Time < retention.ListedFrom(now))
            return Problems.Create(NotFound);
        var withBodies = request.Bodies != "false" && !(first.Time < retention.FullFrom(now));
        EntityTags.Set(http, call.Version);
        return TypedResults.Ok(InferenceResponse.Of(id, call.Value, first, last!, withBodies));
    }
}
