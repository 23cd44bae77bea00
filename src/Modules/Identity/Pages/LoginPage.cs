using System.Globalization;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.Users;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>The pages on which a person logs in: the password, perhaps a second factor, perhaps the organization.</summary>
internal static class LoginPage
{
    public const string Path = "/login";
    public const string FactorPath = "/login/second-factor";
    public const string OrganizationPath = "/login/organization";

    public const string EmailField = "email";
    public const string PasswordField = "password";
    public const string ReturnField = "returnTo";
    public const string ChallengeField = "challenge";
    public const string CodeField = "code";
    public const string OrganizationField = "organizationId";

    public const string WrongCredentials = "The address or the password is wrong.";
    public const string WrongCode = "The code is wrong, was used before, or has run out. Take the next one.";
    public const string Expired = "That took too long, or began in another window. Please log in again.";
    public const string NoMembership = "You are no active member of an organization here.";
    public const string Busy = "There is too much to do just now. Please try again in a moment.";

    public static PageResult Password(
        Html formToken,
        LocalPath returnTo,
        string email = "",
        string? error = null,
        string? note = null,
        int status = StatusCodes.Status200OK
    ) =>
        new(
            "Log in",
            Html.Of(
                $"""
                {Forms.Error(error)}{Forms.Note(note)}
                <form method="post" action="{Path}">
                {formToken}{Return(returnTo)}
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
                <p class="links"><a href="{ResetPages.AskPath}">I do not know my password any more</a></p>
                """
            )
        )
        {
            Status = status,
        };

    public static PageResult Factor(
        Html formToken,
        LocalPath returnTo,
        string challenge,
        string? error = null,
        int status = StatusCodes.Status200OK
    ) =>
        new(
            "Second factor",
            Html.Of(
                $"""
                {Forms.Error(error)}
                <form method="post" action="{FactorPath}">
                {formToken}{Return(returnTo)}
                <input type="hidden" name="{ChallengeField}" value="{challenge}">
                {Forms.Field(
                    "Code",
                    CodeField,
                    "text",
                    "one-time-code",
                    hint: "Six digits of your authenticator, or one of your recovery codes.",
                    maxLength: 40,
                    isFirst: true
                )}
                <button type="submit">Go on</button>
                </form>
                <p class="links"><a href="{Path}">Begin again</a></p>
                """
            )
        )
        {
            Status = status,
        };

    public static PageResult Organization(
        Html formToken,
        LocalPath returnTo,
        string challenge,
        IReadOnlyList<Membership> choices
    ) =>
        new(
            "Where do you go?",
            Html.Of(
                $"""
                <form method="post" action="{OrganizationPath}">
                {formToken}{Return(returnTo)}
                <input type="hidden" name="{ChallengeField}" value="{challenge}">
                {Html.Join(choices.Select(Choice))}
                </form>
                """
            )
        );

    /// <summary>The page for a step that is not the last.</summary>
    public static PageResult Of(LoginStep step, Html formToken, LocalPath returnTo, string email, HttpContext http)
    {
        switch (step)
        {
            case LoginStep.NeedsFactor { Challenge: var challenge }:
                return Factor(formToken, returnTo, challenge);
            case LoginStep.NeedsOrganization { Challenge: var challenge, Choices: var choices }:
                return Organization(formToken, returnTo, challenge, choices);
            case LoginStep.TooMany { RetryAfter: var wait }:
                return Password(
                    formToken,
                    returnTo,
                    email,
                    TooMany(http, wait),
                    status: StatusCodes.Status429TooManyRequests
                );
            case LoginStep.NoMembership:
                return Password(formToken, returnTo, email, NoMembership, status: StatusCodes.Status403Forbidden);
            case LoginStep.Expired:
                return Password(formToken, returnTo, email, Expired, status: StatusCodes.Status401Unauthorized);
            default:
                return Password(
                    formToken,
                    returnTo,
                    email,
                    WrongCredentials,
                    status: StatusCodes.Status401Unauthorized
                );
        }
    }

    /// <summary>The sentence, and the header that goes with it.</summary>
    public static string TooMany(HttpContext http, TimeSpan wait)
    {
        var seconds = (int)Math.Max(1, Math.Ceiling(wait.TotalSeconds));
        http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        var time = seconds < 120 ? $"{seconds} seconds" : $"{(seconds + 59) / 60} minutes";
        return $"Too many attempts have failed. Please wait {time} before the next one.";
    }

    private static Html Return(LocalPath returnTo) =>
        Html.Of($"<input type=\"hidden\" name=\"{ReturnField}\" value=\"{returnTo.Value}\">");

    private static Html Choice(Membership membership) =>
        Html.Of(
            $"""
            <button class="quiet" type="submit" name="{OrganizationField}" value="{membership.TenantId.ToString()}">{membership.Organization}</button>
            """
        );
}
