using System.Globalization;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Identity.ExternalIdentity.Logins;
using Verbatim.Modules.Identity.ExternalIdentity.Providers;
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

    /// <summary>The organization whose people the page is for, in its address and in its form.</summary>
    public const string InField = "organization";

    public const string WrongCredentials = "The address or the password is wrong.";
    public const string WrongCode = "The code is wrong, was used before, or has run out. Take the next one.";
    public const string Expired = "That took too long, or began in another window. Please log in again.";
    public const string NoMembership = "You are no active member of an organization here.";
    public const string Busy = "There is too much to do just now. Please try again in a moment.";

    public static PageResult Password(
        LoginVisit visit,
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
                {visit.FormToken}{Return(visit)}
                {Forms.Field(
                    "E-mail address",
                    EmailField,
                    "email",
                    "username",
                    visit.Email,
                    maxLength: 254,
                    isFirst: visit.Email.Length == 0
                )}
                {Forms.Field(
                    "Password",
                    PasswordField,
                    "password",
                    "current-password",
                    maxLength: 1000,
                    isFirst: visit.Email.Length > 0
                )}
                <button type="submit">Log in</button>
                </form>
                {Offers(visit)}
                <p class="links"><a href="{ResetPages.AskPath}">I do not know my password any more</a></p>
                """
            )
        )
        {
            Status = status,
        };

    public static PageResult Factor(
        LoginVisit visit,
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
                {visit.FormToken}{Return(visit)}
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
                <p class="links"><a href="{visit.ReturnTo.AsReturnOf(Path)}">Begin again</a></p>
                """
            )
        )
        {
            Status = status,
        };

    public static PageResult Organization(LoginVisit visit, string challenge, IReadOnlyList<Membership> choices) =>
        new(
            "Where do you go?",
            Html.Of(
                $"""
                <form method="post" action="{OrganizationPath}">
                {visit.FormToken}{Return(visit)}
                <input type="hidden" name="{ChallengeField}" value="{challenge}">
                {Html.Join(choices.Select(Choice))}
                </form>
                """
            )
        );

    /// <summary>The page for a step that is not the last.</summary>
    public static PageResult Of(LoginStep step, LoginVisit visit, HttpContext http) =>
        step switch
        {
            LoginStep.NeedsFactor { Challenge: var challenge } => Factor(visit, challenge),
            LoginStep.NeedsOrganization { Challenge: var challenge, Choices: var choices } => Organization(
                visit,
                challenge,
                choices
            ),
            LoginStep.TooMany { RetryAfter: var wait } => Password(
                visit,
                TooMany(http, wait),
                status: StatusCodes.Status429TooManyRequests
            ),
            LoginStep.NoMembership => Password(visit, NoMembership, status: StatusCodes.Status403Forbidden),
            LoginStep.Expired => Password(visit, Expired, status: StatusCodes.Status401Unauthorized),
            _ => Password(visit, WrongCredentials, status: StatusCodes.Status401Unauthorized),
        };

    /// <summary>The sentence, and the header that goes with it.</summary>
    public static string TooMany(HttpContext http, TimeSpan wait)
    {
        var seconds = (int)Math.Max(1, Math.Ceiling(wait.TotalSeconds));
        http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        var time = seconds < 120 ? $"{seconds} seconds" : $"{(seconds + 59) / 60} minutes";
        return $"Too many attempts have failed. Please wait {time} before the next one.";
    }

    private static Html Return(LoginVisit visit)
    {
        var organization = visit.OrganizationId is { } id
            ? Html.Of($"<input type=\"hidden\" name=\"{InField}\" value=\"{id.ToString()}\">")
            : Html.Empty;
        return Html.Of(
            $"<input type=\"hidden\" name=\"{ReturnField}\" value=\"{visit.ReturnTo.Value}\">{organization}"
        );
    }

    private static Html Offers(LoginVisit visit) =>
        visit.Providers.Count == 0
            ? Html.Empty
            : Html.Of(
                $"""
                <p class="or">or</p>
                {Html.Join(visit.Providers.Select(p => Offer(p, visit.ReturnTo)))}
                """
            );

    private static Html Offer(OfferedProvider provider, LocalPath returnTo) =>
        Html.Of(
            $"""
            <a class="button quiet" href="{returnTo.AsReturnOf(
                ExternalLoginPages.PathOf(provider.Id)
            )}">Go on with {provider.Name}</a>
            """
        );

    private static Html Choice(Membership membership) =>
        Html.Of(
            $"""
            <button class="quiet" type="submit" name="{OrganizationField}" value="{membership.TenantId.ToString()}">{membership.Organization}</button>
            """
        );
}
