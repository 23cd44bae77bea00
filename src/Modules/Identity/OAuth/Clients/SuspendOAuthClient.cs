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

    private static Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The client.")] Guid id,
        Caller caller,
        HttpContext http,
        ClientStanding standing,
        TimeProvider time,
        CancellationToken cancellationToken
    ) => standing.ChangeAsync(caller, http, id, client => Decide(client, time.GetUtcNow()), cancellationToken);

    internal static Decision Decide(OAuthClient? client, DateTimeOffset now) =>
        client switch
        {
            null => OAuthClientErrors.NotFound,
            { DeletedAt: not null } => OAuthClientErrors.Deleted,
            { SuspendedAt: not null } => Decision.Nothing,
            _ => Decision.Append(new OAuthClientSuspended(now)),
        };
}
