using System.ComponentModel;
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

internal sealed class GetOAuthClient : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/oauth-clients/{id:guid}", HandleAsync)
            .RequireScope(Scopes.OAuthClientsRead)
            .WithTags("OAuth clients")
            .WithSummary("Read one OAuth client")
            .WithDescription("Everything about it but its secret.")
            .WithResponseExample(StatusCodes.Status200OK, OAuthClientResponse.Example)
            .ProducesError(404, OAuthClientErrors.NotFoundCode, OAuthClientErrors.NotFoundMessage);

    private static async Task<Results<Ok<OAuthClientResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The client.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        var client = await store.LoadAsync<OAuthClient>(caller.Access, id, cancellationToken);
        if (client is null)
            return Problems.NotFound(OAuthClientErrors.NotFoundCode, OAuthClientErrors.NotFoundMessage);
        EntityTags.Set(http, client.Version);
        return TypedResults.Ok(OAuthClientResponse.From(id, client.Value));
    }
}
