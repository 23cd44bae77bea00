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

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>Which providers to list.</summary>
public sealed record ListProvidersRequest
{
    /// <summary>Only those of this kind.</summary>
    [ProviderKindName]
    [Description("Only providers of this kind.")]
    public string? Kind { get; init; }

    /// <summary>Only the one of this name.</summary>
    [StringLength(100, MinimumLength = 1)]
    [Description("Only the provider of this name.")]
    public string? Name { get; init; }
}

internal sealed class ListProviders(DocumentStore store) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/providers", HandleAsync)
            .RequireScope(Scopes.ProvidersRead)
            .WithTags("Providers")
            .WithSummary("List the providers of your organization")
            .WithDescription(
                "Newest first; those of the configuration included, for the organization that runs the installation."
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<ProviderResponse>([ProviderResponse.Example], NextCursor: null)
            );

    private Task<Results<Ok<Page<ProviderResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] ListProvidersRequest request,
        [AsParameters] PageRequest page,
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        var filter = new DocumentFilter().Where($"(data ->> 'deletedAt') is null");
        if (request.Kind is { } kind)
            filter.Where($"data -> 'terms' ->> 'kind' = {kind}");
        if (request.Name is { } name)
            filter.Where($"data -> 'terms' ->> 'name' = {name}");
        return DocumentPages.ListAsync<RegisteredProvider, ProviderResponse>(
            store,
            caller.Access,
            page,
            filter,
            rows =>
                Task.FromResult<IReadOnlyList<ProviderResponse>>([
                    .. rows.Select(p => ProviderResponse.From(p.Id, p.Value)),
                ]),
            cancellationToken
        );
    }
}
