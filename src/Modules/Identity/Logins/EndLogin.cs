using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Logins;

internal sealed class EndLogin : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/logins/{id:guid}", HandleAsync)
            .RequireScope(Scopes.AccountWrite)
            .OpenWhilePending()
            .WithTags("Logins")
            .WithSummary("End a login")
            .WithDescription(
                "Its access tokens, refresh tokens and cookie stop working within a second, on every instance. Administrators may end anybody's. Ending it again changes nothing."
            )
            .ProducesError(404, LoginEnder.NotFound.Code, LoginEnder.NotFound.Message);

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The login.")] Guid id,
        Caller caller,
        HttpContext http,
        LoginEnder ender,
        CancellationToken cancellationToken
    )
    {
        var outcome = await ender.EndAsync(caller.For(http), id, LoginEndReason.Revoked, cancellationToken);
        return outcome.Match<Results<NoContent, ProblemHttpResult>>(
            _ => TypedResults.NoContent(),
            refusal => Problems.From(refusal)
        );
    }
}
