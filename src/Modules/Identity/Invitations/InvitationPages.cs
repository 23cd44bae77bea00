using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Pages;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>Where the link of an invitation leads: a new person chooses a password, a known one joins once they are logged in.</summary>
internal sealed class InvitationPages(FormTokens formTokens, LoginVisits visits, InvitationAcceptance acceptance)
    : IEndpoint
{
    private const string Path = "/invitation";

    // Not a part of the path: paths are in traces and in the scopes of log lines.
    private const string Token = "token";
    private const string Name = "name";
    private const string Password = "newPassword";
    private const int MaxName = 100;

    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage(Path, ShowAsync);
        routes.MapForm(Path, AddressLimit.Logins, TakeAsync);
    }

    private static string TokenOf(HttpContext http) => http.Request.Query[Token].ToString();

    private async Task<IResult> ShowAsync(HttpContext http) =>
        await acceptance.FindAsync(TokenOf(http), http.RequestAborted) is { } open ? Ask(http, open) : NotFound();

    private async Task<IResult> TakeAsync(HttpContext http)
    {
        var form = await LoginPages.ReadFormAsync(http);
        if (await acceptance.FindAsync(TokenOf(http), http.RequestAborted) is not { } open)
            return NotFound();
        // Of a request by cookie the authentication has looked at the form's token already.
        var isVisitor = PageVisitor.TryFind(http, out var visitor);
        if (!isVisitor && !formTokens.IsValid(http, form))
            return Ask(http, open, LoginPage.Expired, StatusCodes.Status400BadRequest);
        try
        {
            var (accepted, refusal) = await acceptance.AcceptAsync(
                http,
                open,
                visitor,
                LoginPages.Text(form, Password, PasswordRules.MaxLength),
                LoginPages.Text(form, Name, MaxName),
                http.RequestAborted
            );
            if (refusal == InvitationAcceptance.NotFound)
                return NotFound();
            if (accepted is null)
                return Ask(http, open, refusal!.Message, StatusCodes.Status422UnprocessableEntity);
            return accepted.IsNew
                ? LoginPage.Password(
                    await visits.OfAsync(http, LocalPath.Root, open.TenantId.ToString(), accepted.Email),
                    note: $"You are a member of {open.Organization}. Log in with the password that you have chosen."
                )
                : Joined(open);
        }
        catch (BusyException)
        {
            return Ask(http, open, LoginPage.Busy, StatusCodes.Status503ServiceUnavailable);
        }
    }

    private PageResult Ask(
        HttpContext http,
        OpenInvitation open,
        string? error = null,
        int status = StatusCodes.Status200OK
    )
    {
        var body = Html.Of(
            $"""
            {Forms.Error(error)}
            <p>You are invited to join <strong>{open.Organization}</strong> as {RoleScopes.NameOf(
                open.Invitation.Role
            )}, with the address {open.Invitation.Email}.</p>
            {Choice(http, open)}
            """
        );
        return new PageResult("Invitation", body) { Status = status };
    }

    private Html Choice(HttpContext http, OpenInvitation open)
    {
        var action = $"{Path}?{Token}={Uri.EscapeDataString(TokenOf(http))}";
        var isVisitor = PageVisitor.TryFind(http, out var visitor);
        if (open.AccountId is null)
            return Html.Of(
                $"""
                <form method="post" action="{action}">
                {(isVisitor ? PageVisitor.FormToken(http) : formTokens.Issue(http))}
                {Forms.Field("What you are called", Name, "text", "name", maxLength: MaxName, isFirst: true)}
                {Forms.Field(
                    "New password",
                    Password,
                    "password",
                    "new-password",
                    hint: "At least 12 characters. Several words that only you would put together are good.",
                    maxLength: PasswordRules.MaxLength
                )}
                <button type="submit">Join</button>
                </form>
                """
            );
        if (isVisitor && visitor!.PrincipalId == open.AccountId)
            return Html.Of(
                $"""
                <form method="post" action="{action}">
                {PageVisitor.FormToken(http)}
                <button type="submit">Join</button>
                </form>
                """
            );
        return isVisitor
            ? Html.Of(
                $"""
                <p>You are logged in with another account. <a href="{LogoutPages.Path}">Log out</a>, and open the link again.</p>
                """
            )
            : Html.Of(
                $"""
                <p>There is an account with this address. <a href="{LocalPath.OrRoot(action).AsReturnOf(
                    LoginPage.Path
                )}">Log in</a> to join.</p>
                """
            );
    }

    private static PageResult Joined(OpenInvitation open) =>
        new(
            "You have joined",
            Html.Of(
                $"""
                <p>You are a member of <strong>{open.Organization}</strong> now.</p>
                <p class="links"><a href="/">Go on</a></p>
                """
            )
        );

    private static PageResult NotFound() =>
        new(
            "Invitation",
            Html.Of(
                $"""
                {Forms.Error(InvitationAcceptance.NotFound.Message)}
                <p class="links"><a href="{LoginPage.Path}">To the login</a></p>
                """
            )
        )
        {
            Status = StatusCodes.Status404NotFound,
        };
}
