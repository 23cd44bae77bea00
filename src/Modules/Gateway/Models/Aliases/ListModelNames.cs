using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models.Aliases;

/// <summary>Which model names to list.</summary>
public sealed record ListModelNamesRequest
{
    /// <summary>Only the one of this name.</summary>
    [StringLength(200, MinimumLength = 1)]
    [Description("Only the model of this name.")]
    public string? Name { get; init; }

    /// <summary>Only those that send calls to this deployment.</summary>
    [QueryId]
    [Description("Only models that send calls to this deployment.")]
    public string? DeploymentId { get; init; }
}

internal sealed class ListModelNames(DocumentStore store) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/models", HandleAsync)
            .RequireScope(Scopes.ModelsRead)
            .WithTags("Models")
            .WithSummary("List the model names of your organization")
            .WithDescription(
                "Newest first; those that you may use, or all if you may read providers. What else you can ask, shared models and deployments by their own names, is in `/v1/models`."
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<ModelResponse>([ModelResponse.Example], NextCursor: null)
            );

    private Task<Results<Ok<Page<ModelResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] ListModelNamesRequest request,
        [AsParameters] PageRequest page,
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        var filter = new DocumentFilter().Where($"(data ->> 'deletedAt') is null");
        if (!caller.Scopes.Contains(Scopes.ProvidersRead))
        {
            var project = caller.ProjectId?.ToString() ?? "";
            filter.Where(
                $$"""
                data -> 'terms' -> 'visibility' ->> 'audience' <> 'projects'
                or exists (
                    select from json_array_elements_text(data -> 'terms' -> 'visibility' -> 'projects') p where p = {{project}}
                )
                """
            );
        }
        if (request.Name is { } name)
            filter.Where($"data -> 'terms' ->> 'name' = {name}");
        if (request.DeploymentId is { } deployment)
            filter.Where(ModelRules.SendsTo(Guid.Parse(deployment)));
        return DocumentPages.ListAsync<ModelAlias, ModelResponse>(
            store,
            caller.Access,
            page,
            filter,
            rows =>
                Task.FromResult<IReadOnlyList<ModelResponse>>([.. rows.Select(m => ModelResponse.From(m.Id, m.Value))]),
            cancellationToken
        );
    }
}
