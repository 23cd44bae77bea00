using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>Logging out with a browser: with a form, since a link could be followed from anywhere.</summary>
internal sealed class LogoutPages(LoginEnder logins, LoginVisits visits) : IEndpoint
{
    public const string Path = "/logout";

    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage(Path, http => Task.FromResult(Show(http)));
        routes.MapForm(Path, AddressLimit.Tokens, LogOutAsync);
    }

    private static IResult Show(HttpContext http) =>
        PageVisitor.TryFind(http, out _)
            ? new PageResult(
                "Log out",
                Html.Of(
                    $"""
                    <form method="post" action="{Path}">
                    {PageVisitor.FormToken(http)}
                    <button type="submit">Log out</button>
                    </form>
                    """
                )
            )
            : new SeeOther(LoginPage.Path);

    private async Task<IResult> LogOutAsync(HttpContext http)
    {
        if (!PageVisitor.TryFind(http, out var caller))
            return new SeeOther(LoginPage.Path);
        await logins.EndAsync(caller.For(http), caller.LoginId!.Value, LoginEndReason.LoggedOut, http.RequestAborted);
        LoginCookies.Clear(http);
        return LoginPage.Password(
            await visits.OfAsync(http, LocalPath.Root, organization: null, email: null),
            note: "You are logged out."
        );
    }
}
