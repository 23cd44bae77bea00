using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Clients;

internal sealed class SuspendOAuthClient : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/oauth-clients/{id:guid}/suspension", HandleAsync)
            .RequireScope(Scopes.OAuthClientsWrite)
            .WithTags("OAuth clients")
            .WithSummary("Suspend an OAuth client")
            .WithDescription(
                "It gets no tokens, and those that it has stop working within a second, on every instance, until it is reactivated."
            )
            .ProducesError(404, OAuthClientErrors.NotFoundCode, OAuthClientErrors.NotFoundMessage)
            .ProducesError(409, OAuthClientErrors.DeletedCode, OAuthClientErrors.DeletedMessage);

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The client.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        OAuthClients clients,
        Standings standings,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<OAuthClient>(
            caller.For(http),
            id,
            client => Decide(client, time.GetUtcNow()),
            cancellationToken
        );
        // This instance need not wait to hear it from the log.
        clients.Forget(id);
        standings.Forget(id);
        return outcome.Match<Results<NoContent, ProblemHttpResult>>(
            client =>
            {
                EntityTags.Set(http, client.Version);
                return TypedResults.NoContent();
            },
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(OAuthClient? client, DateTimeOffset now) =>
        client switch
        {
            null => OAuthClientErrors.NotFound,
            { DeletedAt: not null } => OAuthClientErrors.Deleted,
            { SuspendedAt: not null } => Decision.Nothing,
            _ => Decision.Append(new OAuthClientSuspended(now)),
        };
}
