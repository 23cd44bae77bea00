using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Identity.PasswordResets;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.Door;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>A forgotten password with a browser: asking for the mail, and choosing a new password with its link.</summary>
internal sealed class ResetPages(
    FormTokens formTokens,
    LoginVisits visits,
    PasswordResetRequests requests,
    ResetTokens resetTokens,
    PasswordResetter resetter
) : IEndpoint
{
    public const string AskPath = "/password-reset";
    public const string ChoosePath = "/password-reset/choose";
    public const string TokenField = "token";

    private const string New = "newPassword";
    private const string TokenInvalid = "This link was used before or has run out. Ask for another.";

    public string Prefix => "";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage(AskPath, http => Task.FromResult<IResult>(Ask(http)));
        routes.MapForm(AskPath, AddressLimit.Resets, TakeAsync);
        routes.MapPage(ChoosePath, ShowAsync);
        routes.MapForm(ChoosePath, AddressLimit.Resets, ChooseAsync);
    }

    private async Task<IResult> TakeAsync(HttpContext http)
    {
        var form = await LoginPages.ReadFormAsync(http);
        if (!formTokens.IsValid(http, form))
            return Ask(http, LoginPage.Expired, StatusCodes.Status400BadRequest);
        if (LoginPages.Text(form, LoginPage.EmailField, 254) is { } email)
            await requests.TakeAsync(http, email, http.RequestAborted);
        return new PageResult(
            "Look at your mail",
            Html.Of(
                $"""
                <p>If there is an account with this address, a mail with a link is on its way. It works for thirty minutes.</p>
                <p class="links"><a href="{LoginPage.Path}">Back to the login</a></p>
                """
            )
        );
    }

    private async Task<IResult> ShowAsync(HttpContext http)
    {
        var token = http.Request.Query[TokenField].ToString();
        return await resetTokens.FindAsync(token, http.RequestAborted) is null
            ? Ask(http, TokenInvalid, StatusCodes.Status422UnprocessableEntity)
            : Choose(http, token);
    }

    private async Task<IResult> ChooseAsync(HttpContext http)
    {
        var form = await LoginPages.ReadFormAsync(http);
        var token = LoginPages.Text(form, TokenField, 200) ?? "";
        if (!formTokens.IsValid(http, form))
            return Choose(http, token, LoginPage.Expired, StatusCodes.Status400BadRequest);
        var password = LoginPages.Text(form, New, PasswordRules.MaxLength) ?? "";
        try
        {
            var error = await resetter.ResetAsync(http, token, password, http.RequestAborted);
            if (error == PasswordResetter.InvalidToken)
                return Ask(http, TokenInvalid, error.Status);
            if (error is not null)
                return Choose(http, token, error.Message, error.Status);
        }
        catch (BusyException)
        {
            return Choose(http, token, LoginPage.Busy, StatusCodes.Status503ServiceUnavailable);
        }
        return LoginPage.Password(
            await visits.OfAsync(http, LocalPath.Root, organization: null, email: null),
            note: "Your password is changed. Log in with the new one."
        );
    }

    private PageResult Ask(HttpContext http, string? error = null, int status = StatusCodes.Status200OK) =>
        new(
            "Forgotten password",
            Html.Of(
                $"""
                {Forms.Error(error)}
                <form method="post" action="{AskPath}">
                {formTokens.Issue(http)}
                {Forms.Field(
                    "E-mail address",
                    LoginPage.EmailField,
                    "email",
                    "username",
                    maxLength: 254,
                    isFirst: true
                )}
                <button type="submit">Send me a link</button>
                </form>
                <p class="links"><a href="{LoginPage.Path}">Back to the login</a></p>
                """
            )
        )
        {
            Status = status,
        };

    private PageResult Choose(
        HttpContext http,
        string token,
        string? error = null,
        int status = StatusCodes.Status200OK
    ) =>
        new(
            "Choose a password",
            Html.Of(
                $"""
                {Forms.Error(error)}
                <form method="post" action="{ChoosePath}">
                {formTokens.Issue(http)}
                <input type="hidden" name="{TokenField}" value="{token}">
                {Forms.Field(
                    "New password",
                    New,
                    "password",
                    "new-password",
                    hint: "At least 12 characters. Several words that only you would put together are good.",
                    maxLength: PasswordRules.MaxLength,
                    isFirst: true
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
