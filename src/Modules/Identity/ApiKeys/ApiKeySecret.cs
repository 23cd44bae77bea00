using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>The secret of an API key. The server keeps its hash.</summary>
internal static class ApiKeySecret
{
    public const string Start = "vk_";
    private const int PrefixLength = 8;

    public static string New() => OpaqueSecret.New(Start);

    public static string PrefixOf(string secret) => secret[..PrefixLength];

    public static bool LooksLikeOne(ReadOnlySpan<char> credential) => OpaqueSecret.LooksLikeOne(credential, Start);

    /// <summary>The statement that stores the hash, for the transaction of the event that says a key was made.</summary>
    public static SqlWrite Store(Guid tenantId, Guid apiKeyId, string secret) =>
        new(
            "insert into identity.api_key_secrets (hash, tenant_id, api_key_id) values ($1, $2, $3)",
            SecretHash.Of(secret).ToArray(),
            tenantId,
            apiKeyId
        );

    /// <summary>The statement that forgets the secret from before the last rotation.</summary>
    public static SqlWrite RemoveOld(Guid tenantId, Guid apiKeyId) =>
        new(
            "delete from identity.api_key_secrets where tenant_id = $1 and api_key_id = $2 and valid_until is not null",
            tenantId,
            apiKeyId
        );

    /// <summary>The statement that lets a key's secret end.</summary>
    public static SqlWrite EndAt(Guid tenantId, Guid apiKeyId, DateTimeOffset at) =>
        new(
            "update identity.api_key_secrets set valid_until = $3 where tenant_id = $1 and api_key_id = $2",
            tenantId,
            apiKeyId,
            at.UtcDateTime
        );

    /// <summary>The statement that forgets all of a key's secrets.</summary>
    public static SqlWrite RemoveAll(Guid tenantId, Guid apiKeyId) =>
        new("delete from identity.api_key_secrets where tenant_id = $1 and api_key_id = $2", tenantId, apiKeyId);
}
