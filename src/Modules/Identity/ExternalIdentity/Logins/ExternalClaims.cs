using System.Text.Json;
using Verbatim.Modules.Identity.ExternalIdentity.Providers;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Modules.Identity.Users;

namespace Verbatim.Modules.Identity.ExternalIdentity.Logins;

/// <summary>What a provider says of a person, after its token was verified.</summary>
/// <param name="Subject"><c>sub</c>: the person, at that provider.</param>
/// <param name="Email">The address, as far as it is told.</param>
/// <param name="IsEmailVerified">Whether the provider vouches for it.</param>
/// <param name="Roles">The values of the role claim.</param>
internal sealed record ExternalClaims(string Subject, string? Email, bool IsEmailVerified, IReadOnlyList<string> Roles)
{
    private const int MaxSubject = 255;
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Reads the claims of an ID token whose signature was found good, if they are for this login (OpenID Connect Core 1.0 §3.1.3.7).
    /// Never throws on input.
    /// </summary>
    /// <returns>Null when anything of it is not as it must be.</returns>
    public static ExternalClaims? Read(
        byte[] payload,
        ProviderSettings provider,
        ExternalLoginState state,
        DateTimeOffset now
    )
    {
        if (!StrictJson.IsUnambiguousObject(payload))
            return null;
        using var json = JsonDocument.Parse(payload);
        var claims = json.RootElement;
        if (
            TextOf(claims, "iss") != provider.Issuer
            || !IsFor(claims, provider.ClientId)
            || TextOf(claims, "nonce") != state.Nonce
            || TimeOf(claims, "exp") is not { } expires
            || expires + ClockSkew <= now
            || TimeOf(claims, "iat") is not { } issued
            || issued - ClockSkew > now
            || now - issued > MaxAge
            || !IsRecent(claims, state.MaxAge, now)
            || TextOf(claims, "sub") is not { Length: > 0 and <= MaxSubject } subject
        )
            return null;
        return new ExternalClaims(
            subject,
            TextOf(claims, "email"),
            IsTrue(claims, "email_verified"),
            RolesOf(claims, provider)
        );
    }

    /// <summary>Reads who an access token is about whose signature was found good, if it is for this API (RFC 9068 §4). Never throws on input.</summary>
    /// <returns>The subject and the token's end; null when anything of it is not as it must be.</returns>
    public static (string Subject, DateTimeOffset ExpiresAt)? ReadAccess(
        byte[] payload,
        string issuer,
        string audience,
        DateTimeOffset now
    )
    {
        if (!StrictJson.IsUnambiguousObject(payload))
            return null;
        using var json = JsonDocument.Parse(payload);
        var claims = json.RootElement;
        if (
            TextOf(claims, "iss") != issuer
            || !HasAudience(claims, audience)
            || TimeOf(claims, "exp") is not { } expires
            || expires <= now
            || TimeOf(claims, "iat") is not { } issued
            || issued - ClockSkew > now
            || (claims.TryGetProperty("nbf", out _) && !(TimeOf(claims, "nbf") - ClockSkew <= now))
            || TextOf(claims, "sub") is not { Length: > 0 and <= MaxSubject } subject
        )
            return null;
        return (subject, expires);
    }

    /// <summary>The same with what the userinfo endpoint adds, if it speaks of the same person (§5.3.4).</summary>
    public ExternalClaims With(JsonElement userinfo, ProviderSettings provider) =>
        TextOf(userinfo, "sub") != Subject
            ? this
            : this with
            {
                Email = Email ?? TextOf(userinfo, "email"),
                IsEmailVerified = Email is null ? IsTrue(userinfo, "email_verified") : IsEmailVerified,
                Roles = Roles.Count > 0 ? Roles : RolesOf(userinfo, provider),
            };

    /// <summary>The role that the claims give, or else the invitation, or else the provider's default; null: the person does not get in.</summary>
    /// <param name="provider">The provider.</param>
    /// <param name="invited">What the invitation says by which the person came; null for who came without one.</param>
    public Role? RoleUnder(ProviderSettings provider, Role? invited = null)
    {
        foreach (var mapping in provider.RoleMappings)
        {
            if (Roles.Contains(mapping.Value, StringComparer.Ordinal))
                return mapping.Role;
        }
        return invited ?? provider.DefaultRole;
    }

    // A provider that was asked for max_age must say when the person proved who they are (§3.1.2.1, §3.1.3.7).
    private static bool IsRecent(JsonElement claims, long? maxAge, DateTimeOffset now) =>
        maxAge is not { } seconds
        || (TimeOf(claims, "auth_time") is { } provedAt && now - provedAt <= TimeSpan.FromSeconds(seconds) + ClockSkew);

    // One audience, or several with this client as the authorized party.
    private static bool IsFor(JsonElement claims, string clientId)
    {
        var azp = TextOf(claims, "azp");
        if (azp is not null && azp != clientId)
            return false;
        return HasAudience(claims, clientId)
            && (
                claims.GetProperty("aud") is not { ValueKind: JsonValueKind.Array } audiences
                || audiences.GetArrayLength() == 1
                || azp == clientId
            );
    }

    private static bool HasAudience(JsonElement claims, string name)
    {
        if (!claims.TryGetProperty("aud", out var audience))
            return false;
        if (audience.ValueKind == JsonValueKind.String)
            return audience.GetString() == name;
        return audience.ValueKind == JsonValueKind.Array
            && audience.EnumerateArray().Any(a => a.ValueKind == JsonValueKind.String && a.GetString() == name);
    }

    private static IReadOnlyList<string> RolesOf(JsonElement claims, ProviderSettings provider)
    {
        if (provider.RoleClaim is null || !claims.TryGetProperty(provider.RoleClaim, out var value))
            return [];
        return value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array =>
            [
                .. value.EnumerateArray().Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!),
            ],
            _ => [],
        };
    }

    private static string? TextOf(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static bool IsTrue(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static DateTimeOffset? TimeOf(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt64(out var seconds)
        && seconds is >= 0 and < 253_402_300_000
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
}
