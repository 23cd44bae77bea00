using System.Security.Cryptography;
using Npgsql;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>The keys that sign access tokens: kept in the database under the master key, so that all instances share them.</summary>
internal sealed class SigningKeys(Database database, MasterKey masterKey) : IStartupStep
{
    private SigningKey? _current;
    private JsonWebKeySet? _public;

    public int Order => -10;

    /// <summary>The key that signs.</summary>
    public SigningKey Current =>
        _current ?? throw new InvalidOperationException("The signing keys are not loaded yet.");

    /// <summary>The keys that verify. The same object until the keys change.</summary>
    public JsonWebKeySet Public =>
        _public ?? throw new InvalidOperationException("The signing keys are not loaded yet.");

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Two instances that start together must agree on one key.
        await ExecuteAsync(
            connection,
            "lock table identity.signing_keys in share row exclusive mode",
            cancellationToken
        );
        var keys = await ReadAsync(connection, cancellationToken);
        if (keys.Count == 0)
            keys.Add(await MakeAsync(connection, cancellationToken));
        await transaction.CommitAsync(cancellationToken);

        _current = keys[^1];
        _public = new JsonWebKeySet(keys.Select(k => k.PublicKey));
    }

    private async Task<List<SigningKey>> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "select kid, sealed_key from identity.signing_keys order by created_at, kid",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var keys = new List<SigningKey>();
        while (await reader.ReadAsync(cancellationToken))
            keys.Add(Open(reader.GetString(0), reader.GetFieldValue<byte[]>(1)));
        return keys;
    }

    private SigningKey Open(string keyId, byte[] sealedKey)
    {
        byte[] jwk;
        try
        {
            jwk = masterKey.Open(sealedKey, PurposeOf(keyId));
        }
        catch (CryptographicException e)
        {
            throw new SettingException(
                "The master key (Secrets:MasterKey, Secrets:MasterKeyFile or master.key in VERBATIM_HOME) is not the one that this database was set up with.",
                e
            );
        }
        try
        {
            return SigningKey.TryParse(jwk, out var key, out var failure)
                ? key
                : throw new InvalidOperationException(
                    $"The signing key {keyId} in the database is broken ({failure})."
                );
        }
        finally
        {
            CryptographicOperations.ZeroMemory(jwk);
        }
    }

    private async Task<SigningKey> MakeAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var key = SigningKey.Generate();
        var jwk = key.ExportPrivateJwk();
        await using var command = new NpgsqlCommand(
            "insert into identity.signing_keys (kid, sealed_key) values ($1, $2)",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key.KeyId });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = masterKey.Seal(jwk, PurposeOf(key.KeyId)) });
        CryptographicOperations.ZeroMemory(jwk);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return key;
    }

    public static string PurposeOf(string keyId) => "identity.signing-key:" + keyId;

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
