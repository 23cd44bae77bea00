using Microsoft.AspNetCore.Http;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>The form in which a person logs in.</summary>
internal static class LoginPage
{
    public const string Path = "/login";

    public const string EmailField = "email";
    public const string PasswordField = "password";
    public const string ReturnField = "returnTo";

    public static PageResult Render(
        Html formToken,
        LocalPath returnTo,
        string email = "",
        string? error = null,
        int status = StatusCodes.Status200OK
    ) =>
        new(
            "Log in",
            Html.Of(
                $"""
                {Forms.Error(error)}
                <form method="post" action="{Path}">
                {formToken}
                <input type="hidden" name="{ReturnField}" value="{returnTo.Value}">
                {Forms.Field(
                    "E-mail address",
                    EmailField,
                    "email",
                    "username",
                    email,
                    maxLength: 254,
                    isFirst: email.Length == 0
                )}
                {Forms.Field(
                    "Password",
                    PasswordField,
                    "password",
                    "current-password",
                    maxLength: 1000,
                    isFirst: email.Length > 0
                )}
                <button type="submit">Log in</button>
                </form>
                """
            )
        )
        {
            Status = status,
        };
}
