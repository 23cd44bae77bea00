using System.Security.Cryptography;
using System.Text;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>
/// What a confidential client proves itself with: <c>vcs_</c> and 43 letters and digits (256 bits). With so much chance in it a plain SHA-256
/// cannot be searched backwards.
/// </summary>
internal static class ClientSecret
{
    public const string Start = "vcs_";
    private const int RandomLength = 43;
    private const int PrefixLength = 9;

    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string New() => Start + RandomNumberGenerator.GetString(Alphabet, RandomLength);

    public static string PrefixOf(string secret) => secret[..PrefixLength];

    public static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>The statement that stores the hash, for the transaction of the event that says a secret was made.</summary>
    public static SqlWrite Store(Guid tenantId, Guid clientId, string secret, DateTimeOffset createdAt) =>
        new(
            "insert into identity.oauth_client_secrets (hash, tenant_id, client_id, created_at) values ($1, $2, $3, $4)",
            HashOf(secret),
            tenantId,
            clientId,
            createdAt.UtcDateTime
        );

    /// <summary>The statement that ends the secrets that there are, none later than it ends already.</summary>
    public static SqlWrite EndAll(Guid tenantId, Guid clientId, DateTimeOffset at) =>
        new(
            """
            update identity.oauth_client_secrets set expires_at = least(expires_at, $3)
            where tenant_id = $1 and client_id = $2
            """,
            tenantId,
            clientId,
            at.UtcDateTime
        );

    /// <summary>The statement that forgets the secrets that have ended.</summary>
    public static SqlWrite ForgetEnded(Guid tenantId, Guid clientId, DateTimeOffset now) =>
        new(
            "delete from identity.oauth_client_secrets where tenant_id = $1 and client_id = $2 and expires_at <= $3",
            tenantId,
            clientId,
            now.UtcDateTime
        );
}
