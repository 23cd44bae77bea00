using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>Where a login leads when nothing else was asked for: who one is, and what one may do about it.</summary>
internal sealed class AccountPage(DocumentStore store, Memberships memberships) : IEndpoint
{
    public const string Path = "/account";

    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage(Path, ShowAsync);
        // What a person opens who is told where the server is.
        routes.MapPage("/", static _ => Task.FromResult<IResult>(new SeeOther(Path)));
    }

    private async Task<IResult> ShowAsync(HttpContext http)
    {
        if (!PageVisitor.TryFind(http, out var caller))
            return PageVisitor.ToLogin(http);
        var user = await store.LoadAsync<User>(caller.Access, caller.PrincipalId, http.RequestAborted);
        var mine = await memberships.ListAsync(caller.PrincipalId, http.RequestAborted);
        var organization = mine.FirstOrDefault(m => m.TenantId == caller.TenantId)?.Organization;
        return new PageResult(
            "Your account",
            Html.Of(
                $"""
                <p>You are logged in as <strong>{user?.Value.Email}</strong> at <strong>{organization}</strong>.</p>
                <ul>
                <li><a href="{PasswordPage.Path}">Change your password</a></li>
                <li><a href="{SecondFactorPages.Path}">Second factor</a></li>
                <li><a href="/docs">Reference of the API</a></li>
                <li><a href="{LogoutPages.Path}">Log out</a></li>
                </ul>
                """
            )
        );
    }
}
