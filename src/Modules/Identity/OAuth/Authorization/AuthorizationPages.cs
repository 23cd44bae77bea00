using Microsoft.AspNetCore.Http;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.Pages;

namespace Verbatim.Modules.Identity.OAuth.Authorization;

/// <summary>What a person sees between a client's request and its answer.</summary>
internal static class AuthorizationPages
{
    public const string ConsentPath = "/oauth/consent";
    public const string RequestField = "request";
    public const string AnswerField = "answer";
    public const string Allow = "allow";
    public const string Deny = "deny";

    /// <summary>Nothing of the request is shown: it may be an attacker's words.</summary>
    public static IResult BadRequest() =>
        new PageResult(
            "This link does not work",
            Html.Of(
                $"""
                <p>The application that sent you here is not known, or it asks to be answered at an address that is not registered for it. Nothing was sent to it.</p>
                <p>Go back and try again. If it happens again, tell those who run the application.</p>
                """
            )
        )
        {
            Status = StatusCodes.Status400BadRequest,
        };

    public static IResult Consent(
        AuthorizationDemand request,
        string organization,
        string email,
        string query,
        string antiforgeryToken
    )
    {
        var scopes = Html.Join(request.Scopes.Select(s => Html.Of($"<li>{WordsFor(s)}</li>\n")));
        return new PageResult(
            $"{request.Client.Settings.Name} asks for access",
            Html.Of(
                $"""
                <p>You are logged in as <strong>{email}</strong>. In the organization <strong>{organization}</strong>, the application <strong>{request.Client.Settings.Name}</strong> wants to:</p>
                <ul>
                {scopes}
                </ul>
                <p>It never gets more than you may do yourself. You can withdraw this at any time.</p>
                <form method="post" action="{ConsentPath}">
                <input type="hidden" name="{LoginCookies.AntiforgeryField}" value="{antiforgeryToken}">
                <input type="hidden" name="{RequestField}" value="{query}">
                <button type="submit" name="{AnswerField}" value="{Allow}">Allow</button>
                <button class="quiet" type="submit" name="{AnswerField}" value="{Deny}">Do not allow</button>
                </form>
                <p class="hint">You will be sent to {OriginOf(request.RedirectUri)}.</p>
                """
            )
        )
        {
            FormOrigins = [request.RedirectUri],
        };
    }

    private static string OriginOf(string redirectUri)
    {
        var address = new Uri(redirectUri);
        return address.Host.Length > 0 ? address.Host : $"an application on this device ({address.Scheme})";
    }

    private static string WordsFor(string scope) =>
        scope switch
        {
            OAuthWords.OpenId => "know who you are here",
            OAuthWords.Email => "see your e-mail address",
            OAuthWords.Profile => "see your role in the organization",
            OAuthWords.OfflineAccess => "go on while you are away",
            Scopes.AccountRead => "read your account",
            Scopes.AccountWrite => "change your account",
            Scopes.ApiKeysRead => "see your API keys",
            Scopes.ApiKeysWrite => "make and revoke API keys",
            Scopes.AuditRead => "read the whole record of the organization",
            Scopes.InferencesCreate => "ask models in your name",
            Scopes.InferencesRead => "read what you asked models, and their answers",
            Scopes.ModelsRead => "see which models there are",
            Scopes.UsersRead => "see the people of the organization",
            Scopes.UsersWrite => "add and change people of the organization",
            _ => $"use what the scope “{scope}” opens",
        };
}
