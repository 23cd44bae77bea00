using System.Security.Cryptography;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.OAuth.Grants;

/// <summary>Tokens that belong to no login and were revoked; kept until they would have ended by themselves.</summary>
[Singleton]
internal sealed class RevokedTokens(Database database)
{
    public async Task<bool> ContainsAsync(Guid tokenId, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "select exists (select from identity.revoked_tokens where hash = $1)"
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = HashOf(tokenId) });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>The statement that adds one, for the transaction of the event that says so.</summary>
    public static SqlWrite Add(Guid tokenId, DateTimeOffset expiresAt) =>
        new(
            "insert into identity.revoked_tokens (hash, expires_at) values ($1, $2) on conflict do nothing",
            HashOf(tokenId),
            // Clocks of instances may differ.
            expiresAt.AddMinutes(5).UtcDateTime
        );

    private static byte[] HashOf(Guid tokenId) => SHA256.HashData(tokenId.ToByteArray());
}
