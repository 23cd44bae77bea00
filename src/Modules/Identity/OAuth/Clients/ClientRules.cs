using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>What must hold of a client whenever it is registered or changed.</summary>
internal static class ClientRules
{
    private const int MaxUris = 20;

    /// <summary>The first rule that is broken, or null.</summary>
    /// <param name="settings">What is asked for.</param>
    /// <param name="makerScopes">What whoever asks may do: nobody registers a client that could do more.</param>
    public static Decision? Refuse(ClientSettings settings, IReadOnlySet<string> makerScopes) =>
        RefuseWords(settings) ?? RefuseUris(settings) ?? RefuseScopes(settings, makerScopes);

    private static Decision? RefuseWords(ClientSettings settings)
    {
        if (!OAuthWords.AuthenticationMethods.Contains(settings.AuthenticationMethod, StringComparer.Ordinal))
            return Invalid(
                "identity.unknown-auth-method",
                $"There is no authentication method '{settings.AuthenticationMethod}'. Valid: {string.Join(", ", OAuthWords.AuthenticationMethods)}."
            );
        if (
            settings.GrantTypes.FirstOrDefault(g => !OAuthWords.GrantTypes.Contains(g, StringComparer.Ordinal)) is
            { } unknown
        )
            return Invalid(
                "identity.unknown-grant-type",
                $"There is no grant type '{unknown}'. Valid: {string.Join(", ", OAuthWords.GrantTypes)}."
            );
        if (!settings.Takes(OAuthWords.AuthorizationCode) && !settings.Takes(OAuthWords.ClientCredentials))
            return Invalid(
                "identity.no-grant-type",
                "Name authorization_code or client_credentials: the client could get no token."
            );
        if (settings.Takes(OAuthWords.RefreshToken) && !settings.Takes(OAuthWords.AuthorizationCode))
            return Invalid(
                "identity.refresh-without-code",
                "refresh_token needs authorization_code: a client that acts for itself asks anew (RFC 6749 §4.4.3)."
            );
        if (settings.Takes(OAuthWords.ClientCredentials) && !settings.IsConfidential)
            return Invalid(
                "identity.public-client",
                "client_credentials needs a client that can keep a secret; 'none' is for applications on people's machines."
            );
        return null;
    }

    private static Decision? RefuseUris(ClientSettings settings)
    {
        if (settings.Takes(OAuthWords.AuthorizationCode) != settings.RedirectUris.Count > 0)
            return Invalid(
                "identity.redirect-uris",
                "A client with authorization_code needs a redirect URI, and one without has no use for any."
            );
        if (settings.RedirectUris.Count > MaxUris || settings.PostLogoutRedirectUris.Count > MaxUris)
            return Invalid("identity.too-many-uris", "A client has 20 addresses of a kind at most.");
        foreach (var uri in settings.RedirectUris.Concat(settings.PostLogoutRedirectUris))
        {
            if (!RedirectUri.IsRegistrable(uri, out var why))
                return Invalid("identity.invalid-redirect-uri", $"'{uri}' cannot be registered: {why}.");
        }
        return null;
    }

    private static Decision? RefuseScopes(ClientSettings settings, IReadOnlySet<string> makerScopes)
    {
        if (settings.Scopes.FirstOrDefault(s => !OAuthWords.IsScope(s)) is { } unknown)
            return Invalid("identity.unknown-scope", $"There is no scope '{unknown}'.");
        var beyond = settings.Scopes.FirstOrDefault(s =>
            !OAuthWords.IdentityScopes.Contains(s, StringComparer.Ordinal) && !makerScopes.Contains(s)
        );
        if (beyond is not null)
            return Decision.Refuse(
                RefusalKind.Forbidden,
                "identity.scope-beyond-yours",
                $"You cannot grant '{beyond}': you do not have it yourself."
            );
        if (settings.Takes(OAuthWords.ClientCredentials) != settings.Role is not null)
            return Invalid(
                "identity.client-role",
                "'role' says what a client with client_credentials is; it needs one, and no other client does."
            );
        if (settings.Role is { } role && !RoleScopes.Of(role).All(makerScopes.Contains))
            return Decision.Refuse(
                RefusalKind.Forbidden,
                "identity.role-beyond-yours",
                "You cannot give a role that may do more than you."
            );
        return null;
    }

    private static Decision Invalid(string code, string message) => Decision.Refuse(RefusalKind.Invalid, code, message);
}
