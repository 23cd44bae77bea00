using System.Text.Json.Serialization;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Modules.Identity.OAuth.Discovery;

/// <summary>What this authorization server can do (RFC 8414 §2, OpenID Connect Discovery 1.0 §3).</summary>
public sealed record ProviderMetadata
{
    /// <summary>The server's name in tokens, and in the <c>iss</c> of responses.</summary>
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    /// <summary>Where a browser is sent to log in and to consent.</summary>
    [JsonPropertyName("authorization_endpoint")]
    public required string AuthorizationEndpoint { get; init; }

    /// <summary>Where codes, refresh tokens and client credentials become access tokens.</summary>
    [JsonPropertyName("token_endpoint")]
    public required string TokenEndpoint { get; init; }

    /// <summary>Tells who a person is who logged in with the scope <c>openid</c>.</summary>
    [JsonPropertyName("userinfo_endpoint")]
    public required string UserinfoEndpoint { get; init; }

    /// <summary>The keys that verify tokens.</summary>
    [JsonPropertyName("jwks_uri")]
    public required string JwksUri { get; init; }

    /// <summary>Ends tokens before their time (RFC 7009).</summary>
    [JsonPropertyName("revocation_endpoint")]
    public required string RevocationEndpoint { get; init; }

    /// <summary>Tells whether a token is good (RFC 7662).</summary>
    [JsonPropertyName("introspection_endpoint")]
    public required string IntrospectionEndpoint { get; init; }

    /// <summary>Where a browser is sent to log out (OpenID Connect RP-Initiated Logout 1.0).</summary>
    [JsonPropertyName("end_session_endpoint")]
    public required string EndSessionEndpoint { get; init; }

    /// <summary>Scopes that can be asked for.</summary>
    [JsonPropertyName("scopes_supported")]
    public required IReadOnlyList<string> ScopesSupported { get; init; }

    /// <summary>The code flow alone.</summary>
    [JsonPropertyName("response_types_supported")]
    public IReadOnlyList<string> ResponseTypesSupported { get; init; } = ["code"];

    /// <summary>How an authorization response comes back.</summary>
    [JsonPropertyName("response_modes_supported")]
    public IReadOnlyList<string> ResponseModesSupported { get; init; } = ["query"];

    /// <summary>What the token endpoint takes.</summary>
    [JsonPropertyName("grant_types_supported")]
    public IReadOnlyList<string> GrantTypesSupported { get; init; } = OAuthWords.GrantTypes;

    /// <summary>How clients prove themselves at the token endpoint.</summary>
    [JsonPropertyName("token_endpoint_auth_methods_supported")]
    public IReadOnlyList<string> TokenEndpointAuthMethodsSupported { get; init; } = OAuthWords.AuthenticationMethods;

    /// <summary>How clients prove themselves at the revocation endpoint.</summary>
    [JsonPropertyName("revocation_endpoint_auth_methods_supported")]
    public IReadOnlyList<string> RevocationEndpointAuthMethodsSupported { get; init; } =
        OAuthWords.AuthenticationMethods;

    /// <summary>How clients prove themselves at the introspection endpoint; public ones cannot.</summary>
    [JsonPropertyName("introspection_endpoint_auth_methods_supported")]
    public IReadOnlyList<string> IntrospectionEndpointAuthMethodsSupported { get; init; } =
    [OAuthWords.ClientSecretBasic, OAuthWords.ClientSecretPost];

    /// <summary>PKCE (RFC 7636), which every client needs.</summary>
    [JsonPropertyName("code_challenge_methods_supported")]
    public IReadOnlyList<string> CodeChallengeMethodsSupported { get; init; } = ["S256"];

    /// <summary>True: responses name their issuer (RFC 9207).</summary>
    [JsonPropertyName("authorization_response_iss_parameter_supported")]
    public bool AuthorizationResponseIssParameterSupported { get; init; } = true;

    /// <summary>A person has one <c>sub</c> for all clients.</summary>
    [JsonPropertyName("subject_types_supported")]
    public IReadOnlyList<string> SubjectTypesSupported { get; init; } = ["public"];

    /// <summary>What ID tokens are signed with.</summary>
    [JsonPropertyName("id_token_signing_alg_values_supported")]
    public IReadOnlyList<string> IdTokenSigningAlgValuesSupported { get; init; } = [JwsAlgorithm.ES256.Name];

    /// <summary>Claims that ID tokens and userinfo may have.</summary>
    [JsonPropertyName("claims_supported")]
    public IReadOnlyList<string> ClaimsSupported { get; init; } =
    [
        "sub",
        "iss",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "at_hash",
        "sid",
        "org_id",
        "email",
        "email_verified",
        "roles",
    ];

    /// <summary>What <c>prompt</c> may be.</summary>
    [JsonPropertyName("prompt_values_supported")]
    public IReadOnlyList<string> PromptValuesSupported { get; init; } = ["none", "login", "consent"];

    /// <summary>False: claims are asked for by scope.</summary>
    [JsonPropertyName("claims_parameter_supported")]
    public bool ClaimsParameterSupported { get; init; }

    /// <summary>False: requests are no JWTs.</summary>
    [JsonPropertyName("request_parameter_supported")]
    public bool RequestParameterSupported { get; init; }

    /// <summary>False: requests are not fetched from elsewhere.</summary>
    [JsonPropertyName("request_uri_parameter_supported")]
    public bool RequestUriParameterSupported { get; init; }

    /// <summary>Where developers read on.</summary>
    [JsonPropertyName("service_documentation")]
    public required string ServiceDocumentation { get; init; }

    internal static readonly ProviderMetadata Example = Of(path => "https://ai.example.com" + path);

    internal static ProviderMetadata From(Issuer issuer) => Of(issuer.Locate);

    private static ProviderMetadata Of(Func<string, string> locate) =>
        new()
        {
            Issuer = locate(""),
            AuthorizationEndpoint = locate("/oauth/authorize"),
            TokenEndpoint = locate("/oauth/token"),
            UserinfoEndpoint = locate("/oauth/userinfo"),
            JwksUri = locate("/oauth/jwks"),
            RevocationEndpoint = locate("/oauth/revoke"),
            IntrospectionEndpoint = locate("/oauth/introspect"),
            EndSessionEndpoint = locate("/oauth/logout"),
            ScopesSupported = [.. OAuthWords.IdentityScopes, .. Scopes.All],
            ServiceDocumentation = locate("/docs"),
        };
}
