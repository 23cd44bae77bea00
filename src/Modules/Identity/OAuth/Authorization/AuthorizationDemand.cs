using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;
using Verbatim.Modules.Identity.OAuth.Clients;
using Verbatim.Modules.Identity.Pages;

namespace Verbatim.Modules.Identity.OAuth.Authorization;

/// <summary>What a client asks for when it sends a person here (RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core 1.0 §3.1.2.1).</summary>
/// <param name="Client">The client.</param>
/// <param name="RedirectUri">Where the answer goes; one of the client's.</param>
/// <param name="Scopes">What it asks for; at most what it may.</param>
/// <param name="State">Given back as it came.</param>
/// <param name="Nonce">For the ID token.</param>
/// <param name="CodeChallenge">The SHA-256 of what the client will show.</param>
/// <param name="Prompts">How the person is to be asked.</param>
/// <param name="MaxAge">The most seconds since the person proved who they are.</param>
/// <param name="LoginHint">Who the client thinks that it is.</param>
internal sealed record AuthorizationDemand(
    KnownClient Client,
    string RedirectUri,
    IReadOnlyList<string> Scopes,
    string? State,
    string? Nonce,
    string CodeChallenge,
    IReadOnlyList<string> Prompts,
    long? MaxAge,
    string? LoginHint
)
{
    public const string PromptNone = "none";
    public const string PromptLogin = "login";
    public const string PromptConsent = "consent";

    /// <summary>The parameters that are understood.</summary>
    public static readonly IReadOnlyList<string> ParameterNames =
    [
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "login_hint",
    ];

    private const int MaxText = 1000;

    public bool Asks(string prompt) => Prompts.Contains(prompt, StringComparer.Ordinal);

    /// <summary>The parameters of a request to which a path of this server leads back; null when it leads elsewhere.</summary>
    public static OAuthParameters? ParametersOf(LocalPath path) =>
        path.Value.StartsWith(AuthorizationFlow.AuthorizePath + "?", StringComparison.Ordinal)
            ? OAuthParameters.Of(QueryHelpers.ParseQuery(path.Value[AuthorizationFlow.AuthorizePath.Length..]))
            : null;

    /// <summary>
    /// Where the answer may go: before that is known nothing is sent anywhere, since the address may be an attacker's (RFC 6749 §4.1.2.1).
    /// </summary>
    /// <returns>Null when the client has no such address, or there is no such client.</returns>
    public static string? FindRedirectUri(OAuthParameters parameters, KnownClient? client) =>
        client is { IsActive: true } && parameters["redirect_uri"] is { } uri && IsRegistered(client, uri) ? uri : null;

    /// <summary>The request, or the error that is sent back to the client.</summary>
    public static (AuthorizationDemand? Request, OAuthError? Error) Read(
        OAuthParameters parameters,
        KnownClient client,
        string redirectUri
    )
    {
        if (parameters.Repeated is not null)
            return Refuse(OAuthError.InvalidRequest, "A parameter was given more than once.");
        if (parameters["request"] is not null)
            return Refuse("request_not_supported", "Requests in a JWT are not supported.");
        if (parameters["request_uri"] is not null)
            return Refuse("request_uri_not_supported", "Requests from elsewhere are not supported.");
        if (parameters["registration"] is not null)
            return Refuse("registration_not_supported", "Clients are registered by administrators.");
        switch (parameters["response_type"])
        {
            case null:
                return Refuse(OAuthError.InvalidRequest, "response_type is missing.");
            case not "code":
                return Refuse(OAuthError.UnsupportedResponseType, "The only response_type is code.");
        }
        if (parameters["response_mode"] is not (null or "query"))
            return Refuse(OAuthError.InvalidRequest, "The only response_mode is query.");
        if (!client.Settings.Takes(OAuthWords.AuthorizationCode))
            return Refuse(OAuthError.UnauthorizedClient, "The client is not registered for authorization_code.");
        if (parameters["code_challenge"] is not { } challenge)
            return Refuse(OAuthError.InvalidRequest, "code_challenge is missing: every client needs PKCE.");
        if (parameters["code_challenge_method"] is not "S256")
            return Refuse(OAuthError.InvalidRequest, "The only code_challenge_method is S256.");
        if (!ProofKey.IsChallenge(challenge))
            return Refuse(OAuthError.InvalidRequest, "code_challenge is no SHA-256 in base64url.");
        return ReadRest(parameters, client, redirectUri, challenge);
    }

    private static (AuthorizationDemand? Request, OAuthError? Error) ReadRest(
        OAuthParameters parameters,
        KnownClient client,
        string redirectUri,
        string challenge
    )
    {
        // RFC 6749 §3.3: without a scope the request fails, rather than be granted something that nobody named.
        if (parameters["scope"] is not { } scopeText || OAuthScopes.Parse(scopeText) is not { } scopes)
            return Refuse(OAuthError.InvalidScope, "scope is missing or malformed.");
        if (scopes.Any(s => !client.Settings.Scopes.Contains(s, StringComparer.Ordinal)))
            return Refuse(OAuthError.InvalidScope, "The client is not registered for one of the scopes.");
        var prompts = (parameters["prompt"]?.Split(' ') ?? []).Distinct(StringComparer.Ordinal).ToList();
        if (prompts.Exists(p => p is not (PromptNone or PromptLogin or PromptConsent)))
            return Refuse(OAuthError.InvalidRequest, "prompt may be none, login and consent.");
        if (prompts.Count > 1 && prompts.Contains(PromptNone, StringComparer.Ordinal))
            return Refuse(OAuthError.InvalidRequest, "prompt=none goes with no other.");
        long? maxAge = null;
        if (parameters["max_age"] is { } maxAgeText)
        {
            if (!long.TryParse(maxAgeText, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                return Refuse(OAuthError.InvalidRequest, "max_age is no number of seconds.");
            maxAge = Math.Min(seconds, int.MaxValue);
        }
        if (parameters["state"]?.Length > MaxText || parameters["nonce"]?.Length > MaxText)
            return Refuse(OAuthError.InvalidRequest, "state and nonce have 1000 characters at most.");
        return (
            new AuthorizationDemand(
                client,
                redirectUri,
                scopes,
                parameters["state"],
                parameters["nonce"],
                challenge,
                prompts,
                maxAge,
                parameters["login_hint"]
            ),
            null
        );
    }

    private static bool IsRegistered(KnownClient client, string uri) =>
        Clients.RedirectUri.IsAmong(uri, client.Settings.RedirectUris);

    private static (AuthorizationDemand? Request, OAuthError? Error) Refuse(string code, string description) =>
        (null, new OAuthError(400, code, description));
}
