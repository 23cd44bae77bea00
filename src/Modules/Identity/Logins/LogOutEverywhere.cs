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

/// <summary>What was ended.</summary>
/// <param name="Ended">How many logins.</param>
public sealed record LogOutEverywhereResponse(int Ended);

internal sealed class LogOutEverywhere : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/auth/logout-everywhere", HandleAsync)
            .RequireScope(Scopes.AccountWrite)
            .OpenWhilePending()
            .WithTags("Authentication")
            .WithSummary("Log out everywhere")
            .WithDescription(
                "Ends every login of yours, in every organization, this one too unless 'exceptThis' is true, and those of applications that act for you. API keys go on."
            )
            .WithResponseExample(StatusCodes.Status200OK, new LogOutEverywhereResponse(3));

    private static async Task<Ok<LogOutEverywhereResponse>> HandleAsync(
        [Description("True: the login that this request belongs to goes on.")] bool? exceptThis,
        Caller caller,
        HttpContext http,
        LoginEnder ender,
        CancellationToken cancellationToken
    )
    {
        var keeps = exceptThis is true;
        var ended = await ender.EndAllAsync(
            caller.For(http),
            caller.PrincipalId,
            keeps ? caller.LoginId : null,
            LoginEndReason.LoggedOut,
            cancellationToken
        );
        if (!keeps)
            LoginCookies.Clear(http);
        return TypedResults.Ok(new LogOutEverywhereResponse(ended));
    }
}
