using System.Text.Json.Serialization;
using Verbatim.Modules.Identity.Logins;

namespace Verbatim.Modules.Identity.OAuth.Grants;

/// <summary>Tokens (RFC 6749 §5.1).</summary>
/// <param name="AccessToken">A JWT (RFC 9068), to be sent as <c>Authorization: Bearer</c>.</param>
/// <param name="TokenType">Always <c>Bearer</c>.</param>
/// <param name="ExpiresIn">Seconds until the access token ends.</param>
/// <param name="Scope">What it may do, parted by spaces.</param>
/// <param name="RefreshToken">Works once, and is then replaced.</param>
/// <param name="IdToken">Who the person is, where <c>openid</c> was asked for.</param>
public sealed record TokenResponse(
    [property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("token_type")] string TokenType,
    [property: JsonPropertyName("expires_in")] int ExpiresIn,
    [property: JsonPropertyName("scope")] string Scope,
    [property: JsonPropertyName("refresh_token")]
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        string? RefreshToken = null,
    [property: JsonPropertyName("id_token")]
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        string? IdToken = null
)
{
    internal static readonly TokenResponse Example = new(
        "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk4YzdmMCJ9.c2lnbmF0dXJl",
        "Bearer",
        900,
        "inferences:create openid",
        "vr_8Zt3QmD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqE",
        "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwMTk4YzdmMCJ9.c2lnbmF0dXJl"
    );

    internal static TokenResponse From(StartedLogin login, string? idToken) =>
        new(
            login.AccessToken!,
            "Bearer",
            (int)login.ExpiresIn.TotalSeconds,
            OAuthScopes.Write(login.Scopes),
            login.RefreshToken,
            idToken
        );
}
