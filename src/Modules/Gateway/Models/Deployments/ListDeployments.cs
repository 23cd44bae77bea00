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

namespace Verbatim.Modules.Gateway.Models.Deployments;

/// <summary>Which deployments to list.</summary>
public sealed record ListDeploymentsRequest
{
    /// <summary>Only those at this provider.</summary>
    [QueryId]
    [Description("Only deployments at this provider.")]
    public string? ProviderId { get; init; }

    /// <summary>Only those of this model name or pattern.</summary>
    [StringLength(200, MinimumLength = 1)]
    [Description("Only deployments of this model name, or of this pattern as it is written.")]
    public string? Model { get; init; }

    /// <summary>Only those that are on, or off.</summary>
    [QueryWord("enabled", "disabled")]
    [Description("Only deployments that are `enabled`, or `disabled`.")]
    public string? Status { get; init; }
}

internal sealed class ListDeployments(DocumentStore store) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/deployments", HandleAsync)
            .RequireScope(Scopes.ProvidersRead)
            .WithTags("Deployments")
            .WithSummary("List the deployments of your organization")
            .WithDescription("Newest first, disabled ones included.")
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<DeploymentResponse>([DeploymentResponse.Example], NextCursor: null)
            );

    private Task<Results<Ok<Page<DeploymentResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] ListDeploymentsRequest request,
        [AsParameters] PageRequest page,
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        var filter = new DocumentFilter().Where($"(data ->> 'deletedAt') is null");
        if (request.ProviderId is { } provider)
            filter.Where($"data -> 'terms' ->> 'providerId' = {Guid.Parse(provider).ToString()}");
        if (request.Model is { } model)
            filter.Where($"data -> 'terms' ->> 'model' = {model}");
        if (request.Status is { } status)
            filter.Where($"(data -> 'terms' ->> 'isEnabled')::boolean = {status == "enabled"}");
        return DocumentPages.ListAsync<RegisteredDeployment, DeploymentResponse>(
            store,
            caller.Access,
            page,
            filter,
            rows =>
                Task.FromResult<IReadOnlyList<DeploymentResponse>>([
                    .. rows.Select(d => DeploymentResponse.From(d.Id, d.Value)),
                ]),
            cancellationToken
        );
    }
}
