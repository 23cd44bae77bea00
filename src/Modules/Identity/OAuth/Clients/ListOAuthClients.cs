using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Clients;

internal sealed class ListOAuthClients : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/oauth-clients", HandleAsync)
            .RequireScope(Scopes.OAuthClientsRead)
            .WithTags("OAuth clients")
            .WithSummary("List the OAuth clients of your organization")
            .WithDescription("Newest first, suspended and deleted ones included. Secrets are never shown again.")
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<OAuthClientResponse>([OAuthClientResponse.Example], NextCursor: null)
            );

    private static async Task<Results<Ok<Page<OAuthClientResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageRequest page,
        Caller caller,
        DocumentStore store,
        CancellationToken cancellationToken
    ) =>
        await DocumentPages.ListAsync<OAuthClient, OAuthClientResponse>(
            store,
            caller.Access,
            page,
            document => OAuthClientResponse.From(document.Id, document.Value),
            cancellationToken
        );
}
