using Verbatim.Contracts;

namespace Verbatim.Modules.Identity.OAuth;

/// <summary>The protocol's own words that this server understands.</summary>
internal static class OAuthWords
{
    public const string AuthorizationCode = "authorization_code";
    public const string RefreshToken = "refresh_token";
    public const string ClientCredentials = "client_credentials";

    public const string ClientSecretBasic = "client_secret_basic";
    public const string ClientSecretPost = "client_secret_post";

    /// <summary>A public client: an application on somebody's machine, which can keep no secret.</summary>
    public const string None = "none";

    /// <summary>Asks for an ID token (OpenID Connect Core 1.0 §3.1.2.1).</summary>
    public const string OpenId = "openid";

    /// <summary>Asks for the address (OpenID Connect Core 1.0 §5.4).</summary>
    public const string Email = "email";

    /// <summary>Asks for the role in the organization, as far as there is a profile to tell (OpenID Connect Core 1.0 §5.4).</summary>
    public const string Profile = "profile";

    /// <summary>Asks for a refresh token (OpenID Connect Core 1.0 §11).</summary>
    public const string OfflineAccess = "offline_access";

    public static readonly IReadOnlyList<string> GrantTypes = [AuthorizationCode, RefreshToken, ClientCredentials];

    public static readonly IReadOnlyList<string> AuthenticationMethods = [ClientSecretBasic, ClientSecretPost, None];

    /// <summary>Scopes that say something about the person, and open no route.</summary>
    public static readonly IReadOnlyList<string> IdentityScopes = [OpenId, Email, Profile, OfflineAccess];

    public static bool IsScope(string scope) =>
        IdentityScopes.Contains(scope, StringComparer.Ordinal) || Scopes.All.Contains(scope, StringComparer.Ordinal);
}
