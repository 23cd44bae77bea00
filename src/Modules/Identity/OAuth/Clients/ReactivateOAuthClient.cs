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

internal sealed class ReactivateOAuthClient : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/oauth-clients/{id:guid}/suspension", HandleAsync)
            .RequireScope(Scopes.OAuthClientsWrite)
            .WithTags("OAuth clients")
            .WithSummary("Reactivate an OAuth client")
            .WithDescription("It gets tokens again, and those that have not ended meanwhile work again.")
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
            { SuspendedAt: null } => Decision.Nothing,
            _ => Decision.Append(new OAuthClientReactivated(now)),
        };
}
