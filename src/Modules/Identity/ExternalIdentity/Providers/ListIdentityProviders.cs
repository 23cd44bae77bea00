using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.ExternalIdentity.Providers;

internal sealed class ListIdentityProviders(DocumentStore store) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/identity-providers", HandleAsync)
            .RequireScope(Scopes.IdentityProvidersRead)
            .WithTags("Identity providers")
            .WithSummary("List the identity providers of your organization")
            .WithDescription("Newest first, disabled and deleted ones included.")
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<IdentityProviderResponse>([IdentityProviderResponse.Example], NextCursor: null)
            );

    private Task<Results<Ok<Page<IdentityProviderResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageRequest page,
        Caller caller,
        CancellationToken cancellationToken
    ) =>
        DocumentPages.ListAsync<IdentityProvider, IdentityProviderResponse>(
            store,
            caller.Access,
            page,
            document => IdentityProviderResponse.From(document.Id, document.Value),
            cancellationToken
        );
}
