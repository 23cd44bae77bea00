using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Identity.ExternalIdentity.Logins;

/// <summary>What this browser is sent to a provider with, and must come back with.</summary>
/// <param name="ProviderId">The provider.</param>
/// <param name="State">Binds the answer to this browser.</param>
/// <param name="Nonce">Binds the ID token to this login.</param>
/// <param name="Verifier">The proof key (RFC 7636).</param>
/// <param name="ReturnTo">Where the person goes on.</param>
/// <param name="MaxAge">The most seconds since the person proved there who they are; null for any.</param>
/// <param name="EndsAt">Until when the answer is awaited.</param>
internal sealed record ExternalLoginState(
    Guid ProviderId,
    string State,
    string Nonce,
    string Verifier,
    string ReturnTo,
    long? MaxAge,
    DateTimeOffset EndsAt
);

/// <summary>Keeps the state in a cookie, sealed, so that any instance can take the answer.</summary>
[Singleton]
internal sealed class ExternalLoginStates(MasterKey masterKey, TimeProvider time)
{
    private const string Purpose = "identity.external-login";
    private const int MaxLength = 8192;
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>Begins a login.</summary>
    public ExternalLoginState Begin(HttpContext http, Guid providerId, string returnTo, long? maxAge)
    {
        var state = new ExternalLoginState(
            providerId,
            Random(),
            Random(),
            Random(),
            returnTo,
            maxAge,
            time.GetUtcNow() + Lifetime
        );
        var value = masterKey.Seal(JsonSerializer.SerializeToUtf8Bytes(state), Purpose);
        http.Response.Cookies.Append(NameFor(http), Base64Url.EncodeToString(value), OptionsFor(http));
        return state;
    }

    /// <summary>What this browser was sent with, once; null when there is nothing, or it has ended.</summary>
    public ExternalLoginState? Take(HttpContext http)
    {
        var value = http.Request.Cookies[NameFor(http)];
        if (value is not { Length: > 0 and <= MaxLength } || !Base64Url.IsValid(value))
            return null;
        http.Response.Cookies.Delete(NameFor(http), OptionsFor(http));
        try
        {
            var opened = masterKey.Open(Base64Url.DecodeFromChars(value), Purpose);
            return
                JsonSerializer.Deserialize<ExternalLoginState>(opened) is { } state && time.GetUtcNow() < state.EndsAt
                ? state
                : null;
        }
        catch (Exception e) when (e is CryptographicException or JsonException)
        {
            return null;
        }
    }

    private static string NameFor(HttpContext http) =>
        http.Request.IsHttps ? "__Host-verbatim-external" : "verbatim-external";

    // Lax: it must come with the redirect from the provider.
    private static CookieOptions OptionsFor(HttpContext http) =>
        new()
        {
            HttpOnly = true,
            Secure = http.Request.IsHttps,
            SameSite = SameSiteMode.Lax,
            Path = "/",
            MaxAge = Lifetime,
            IsEssential = true,
        };

    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}
