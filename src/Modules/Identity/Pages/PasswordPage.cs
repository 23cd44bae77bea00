using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>Changing one's password with a browser; whoever logs in with a one-time password comes here first.</summary>
internal sealed class PasswordPage(OwnPassword own, PasswordChanger changer) : IEndpoint
{
    public const string Path = "/account/password";

    private const string Current = "currentPassword";
    private const string New = "newPassword";

    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage(Path, http => Task.FromResult(Show(http)));
        routes.MapForm(Path, AddressLimit.Logins, ChangeAsync);
    }

    private static IResult Show(HttpContext http) =>
        PageVisitor.TryFind(http, out _)
            ? Form(http, LocalPath.OrRoot(http.Request.Query["returnTo"]))
            : PageVisitor.ToLogin(http);

    private async Task<IResult> ChangeAsync(HttpContext http)
    {
        if (!PageVisitor.TryFind(http, out var caller))
            return PageVisitor.ToLogin(http);
        var form = await LoginPages.ReadFormAsync(http);
        var returnTo = LocalPath.OrRoot(form[LoginPage.ReturnField]);
        var current = LoginPages.Text(form, Current, PasswordRules.MaxLength) ?? "";
        var password = LoginPages.Text(form, New, PasswordRules.MaxLength) ?? "";
        try
        {
            var (account, refusal) = await own.ProveAsync(http, caller, current, http.RequestAborted);
            if (refusal is not null)
                return Form(http, returnTo, refusal.ProblemDetails.Detail, refusal.StatusCode);
            if (current == password)
                return Form(http, returnTo, ChangePassword.SamePassword.Message, ChangePassword.SamePassword.Status);
            var weakness = await changer.ChangeAsync(
                caller.For(http),
                account!,
                password,
                caller.LoginId,
                [],
                http.RequestAborted
            );
            return weakness is null
                ? Onward.To(returnTo, "Your password is changed")
                : Form(http, returnTo, weakness.Message, StatusCodes.Status422UnprocessableEntity);
        }
        catch (BusyException)
        {
            return Form(http, returnTo, LoginPage.Busy, StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static Html Reason(HttpContext http) =>
        PageVisitor.TryFind(http, out var caller) && caller.Pending is not null
            ? Html.Of($"<p>You have logged in with a one-time password. Choose one of your own, and go on.</p>")
            : Html.Empty;

    private static PageResult Form(
        HttpContext http,
        LocalPath returnTo,
        string? error = null,
        int status = StatusCodes.Status200OK
    ) =>
        new(
            "Choose a password",
            Html.Of(
                $"""
                {Forms.Error(error)}{Reason(http)}
                <form method="post" action="{Path}">
                {PageVisitor.FormToken(http)}
                <input type="hidden" name="{LoginPage.ReturnField}" value="{returnTo.Value}">
                {Forms.Field(
                    "Current password",
                    Current,
                    "password",
                    "current-password",
                    maxLength: PasswordRules.MaxLength,
                    isFirst: true
                )}
                {Forms.Field(
                    "New password",
                    New,
                    "password",
                    "new-password",
                    hint: "At least 12 characters. Several words that only you would put together are good.",
                    maxLength: PasswordRules.MaxLength
                )}
                <button type="submit">Change it</button>
                </form>
                """
            )
        )
        {
            Status = status,
        };
}
