using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Verbatim.Modules.Identity.OAuth.Authorization;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Grants;

/// <summary>An ID token that came back as a hint (OpenID Connect RP-Initiated Logout 1.0 §2).</summary>
internal sealed record IdTokenHint(Guid UserId, Guid OrganizationId, Guid ClientId, Guid LoginId);

/// <summary>Issues ID tokens (OpenID Connect Core 1.0 §2), signed with ES256.</summary>
[Singleton]
internal sealed class IdTokens(Issuer issuer, SigningKeys keys, TimeProvider time)
{
    /// <summary>The <c>typ</c> of the header; it keeps ID tokens apart from access tokens of the same key.</summary>
    private const string Type = "JWT";

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    public string Issue(StoredCode code, Guid loginId, string accessToken)
    {
        var now = time.GetUtcNow();
        var claims = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(claims, JsonWebKey.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("iss"u8, issuer.Value);
            writer.WriteString("sub"u8, code.UserId);
            writer.WriteString("aud"u8, code.ClientId);
            writer.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
            writer.WriteNumber("exp"u8, (now + Lifetime).ToUnixTimeSeconds());
            writer.WriteNumber("auth_time"u8, code.AuthenticatedAt.ToUnixTimeSeconds());
            if (code.Nonce is not null)
                writer.WriteString("nonce"u8, code.Nonce);
            writer.WriteString("acr"u8, AcrOf(code.Factors));
            writer.WriteStartArray("amr"u8);
            foreach (var factor in code.Factors)
                writer.WriteStringValue(factor);
            writer.WriteEndArray();
            writer.WriteString("at_hash"u8, HashOf(accessToken));
            writer.WriteString("sid"u8, loginId);
            writer.WriteString("org_id"u8, code.TenantId);
            writer.WriteEndObject();
        }
        return Jws.Sign(keys.Current, claims.WrittenSpan, Type);
    }

    /// <summary>Reads a token of ours that a client sends back; one that has ended too. Null for anything else.</summary>
    public IdTokenHint? ReadHint(string? token)
    {
        if (token is null || !Jws.TryVerify(token, keys.Public, Type, out var payload, out _))
            return null;
        if (!StrictJson.IsUnambiguousObject(payload))
            return null;
        using var claims = JsonDocument.Parse(payload);
        var root = claims.RootElement;
        return
            TextOf(root, "iss") is { } iss
            && (issuer.Required is null || iss == issuer.Required)
            && Guid.TryParse(TextOf(root, "sub"), out var user)
            && Guid.TryParse(TextOf(root, "org_id"), out var organization)
            && Guid.TryParse(TextOf(root, "aud"), out var client)
            && Guid.TryParse(TextOf(root, "sid"), out var login)
            ? new IdTokenHint(user, organization, client, login)
            : null;
    }

    // One proof or several; what they were, amr tells.
    internal static string AcrOf(IReadOnlyList<string> factors) =>
        factors.Distinct(StringComparer.Ordinal).Count(f => f is not "mfa") > 1
            ? "urn:verbatim:acr:multi-factor"
            : "urn:verbatim:acr:single-factor";

    // OpenID Connect Core 1.0 §3.1.3.6: the left half of the hash that belongs to the token's algorithm, ES256.
    internal static string HashOf(string accessToken)
    {
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes(accessToken));
        return Base64Url.EncodeToString(hash.AsSpan(0, hash.Length / 2));
    }

    private static string? TextOf(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
