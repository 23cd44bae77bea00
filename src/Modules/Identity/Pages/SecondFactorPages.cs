using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.TwoFactor;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>Setting up a second factor with a browser, and taking it away.</summary>
internal sealed class SecondFactorPages(FactorChanges changes, SecondFactors factors) : IEndpoint
{
    public const string Path = "/account/second-factor";
    private const string ConfirmPath = Path + "/confirmation";
    private const string DisablePath = Path + "/disable";

    private const string PasswordField = "currentPassword";
    private const string CodeField = "code";
    private const string SecretField = "secret";

    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage(Path, http => VisitAsync(http, ShowAsync));
        routes.MapForm(Path, AddressLimit.Logins, http => VisitAsync(http, BeginAsync));
        routes.MapForm(ConfirmPath, AddressLimit.Logins, http => VisitAsync(http, ConfirmAsync));
        routes.MapForm(DisablePath, AddressLimit.Logins, http => VisitAsync(http, DisableAsync));
    }

    private static async Task<IResult> VisitAsync(
        HttpContext http,
        Func<HttpContext, Caller, IFormCollection, Task<IResult>> handle
    )
    {
        if (!PageVisitor.TryFind(http, out var caller))
            return PageVisitor.ToLogin(http);
        if (caller.Pending is not null)
            return new SeeOther(LocalPath.OrRoot(Path).AsReturnOf(PasswordPage.Path));
        try
        {
            return await handle(http, caller, await LoginPages.ReadFormAsync(http));
        }
        catch (BusyException)
        {
            return Begin(http, LoginPage.Busy, StatusCodes.Status503ServiceUnavailable);
        }
    }

    private async Task<IResult> ShowAsync(HttpContext http, Caller caller, IFormCollection form) =>
        await factors.FindEnabledAsync(caller.PrincipalId, http.RequestAborted) is null ? Begin(http) : Disable(http);

    private async Task<IResult> BeginAsync(HttpContext http, Caller caller, IFormCollection form)
    {
        var password = LoginPages.Text(form, PasswordField, PasswordRules.MaxLength) ?? "";
        var (secret, account, refusal) = await changes.BeginAsync(http, caller, password, http.RequestAborted);
        if (secret is null)
            return Begin(http, refusal!.ProblemDetails.Detail, refusal.StatusCode);
        return Confirm(http, Totp.ToBase32(secret), Totp.UriOf(secret, BeginSecondFactor.Issuer, account!.Email));
    }

    private async Task<IResult> ConfirmAsync(HttpContext http, Caller caller, IFormCollection form)
    {
        var code = LoginPages.Text(form, CodeField, 20) ?? "";
        var (codes, refusal) = await changes.ConfirmAsync(http, caller, code, http.RequestAborted);
        if (codes is null)
            return Confirm(
                http,
                LoginPages.Text(form, SecretField, 64) ?? "",
                uri: null,
                refusal!.ProblemDetails.Detail,
                refusal.StatusCode
            );
        return new PageResult(
            "Keep these codes",
            Html.Of(
                $"""
                {Forms.Note("Your second factor is set up. Logging in asks for a code from now on.")}
                <p>Should you lose your authenticator, each of these lets you in once. They are not shown again.</p>
                <ul class="codes">{Html.Join(codes.Select(c => Html.Of($"<li>{c}</li>")))}</ul>
                <p class="links"><a href="{AccountPage.Path}">I have kept them</a></p>
                """
            )
        );
    }

    private async Task<IResult> DisableAsync(HttpContext http, Caller caller, IFormCollection form)
    {
        var password = LoginPages.Text(form, PasswordField, PasswordRules.MaxLength) ?? "";
        var code = LoginPages.Text(form, CodeField, 40) ?? "";
        return await changes.DisableAsync(http, caller, password, code, http.RequestAborted) is { } refusal
            ? Disable(http, refusal.ProblemDetails.Detail, refusal.StatusCode)
            : Begin(http, note: "Your second factor is gone; your password alone logs you in.");
    }

    private static PageResult Begin(
        HttpContext http,
        string? error = null,
        int status = StatusCodes.Status200OK,
        string? note = null
    ) =>
        new(
            "Second factor",
            Html.Of(
                $"""
                {Forms.Error(error)}{Forms.Note(note)}
                <p>With a second factor, logging in needs a code of an authenticator app on your telephone besides your password.</p>
                <form method="post" action="{Path}">
                {PageVisitor.FormToken(http)}
                {Forms.Field(
                    "Your password",
                    PasswordField,
                    "password",
                    "current-password",
                    maxLength: PasswordRules.MaxLength,
                    isFirst: true
                )}
                <button type="submit">Set it up</button>
                </form>
                """
            )
        )
        {
            Status = status,
        };

    private static PageResult Confirm(
        HttpContext http,
        string secret,
        string? uri,
        string? error = null,
        int status = StatusCodes.Status200OK
    ) =>
        new(
            "Scan this code",
            Html.Of(
                $"""
                {Forms.Error(error)}{Picture(uri)}
                <p>Or type this secret into your authenticator: <span class="code" id="secret">{secret}</span></p>
                <form method="post" action="{ConfirmPath}">
                {PageVisitor.FormToken(http)}
                <input type="hidden" name="{SecretField}" value="{secret}">
                {Forms.Field(
                    "The code that it shows",
                    CodeField,
                    "text",
                    "one-time-code",
                    maxLength: 20,
                    isFirst: true,
                    inputMode: "numeric"
                )}
                <button type="submit">Enable it</button>
                </form>
                """
            )
        )
        {
            Status = status,
        };

    private static PageResult Disable(HttpContext http, string? error = null, int status = StatusCodes.Status200OK) =>
        new(
            "Second factor",
            Html.Of(
                $"""
                {Forms.Error(error)}
                <p>Your second factor is set up. To take it away, prove both once more.</p>
                <form method="post" action="{DisablePath}">
                {PageVisitor.FormToken(http)}
                {Forms.Field(
                    "Your password",
                    PasswordField,
                    "password",
                    "current-password",
                    maxLength: PasswordRules.MaxLength
                )}
                {Forms.Field(
                    "Code",
                    CodeField,
                    "text",
                    "one-time-code",
                    hint: "Six digits of your authenticator, or one of your recovery codes.",
                    maxLength: 40
                )}
                <button class="quiet" type="submit">Take it away</button>
                </form>
                """
            )
        )
        {
            Status = status,
        };

    private static Html Picture(string? uri)
    {
        if (uri is null)
            return Html.Empty;
        var image = "data:image/svg+xml;base64," + Convert.ToBase64String(Encoding.UTF8.GetBytes(QrImage.Of(uri)));
        return Html.Of($"<img class=\"qr\" src=\"{image}\" alt=\"QR code for your authenticator app\">");
    }
}
