using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Logins;

internal sealed class LogOut : IEndpoint
{
    internal static readonly HttpError NoLogin = new(
        409,
        "identity.no-login",
        "This credential belongs to no login of a person's: an API key is revoked with DELETE /api/api-keys/{id}."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/logout", HandleAsync)
            .RequireScope(Scopes.AccountWrite)
            .OpenWhilePending()
            .WithTags("Authentication")
            .WithSummary("Log out")
            .WithDescription("Ends the login that this request belongs to, with all of its tokens, and its cookie.")
            .ProducesError(NoLogin.Status, NoLogin.Code, NoLogin.Message);

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        Caller caller,
        HttpContext http,
        LoginEnder ender,
        CancellationToken cancellationToken
    )
    {
        if (caller.LoginId is not { } login)
            return Problems.Create(NoLogin);
        await ender.EndAsync(caller.For(http), login, LoginEndReason.LoggedOut, cancellationToken);
        LoginCookies.Clear(http);
        return TypedResults.NoContent();
    }
}
