using System.Security.Cryptography;
using Npgsql;
using Verbatim.Evidence;
using Verbatim.Platform.Secrets;

namespace Verbatim.Platform.Evidence;

/// <summary>The keys that checkpoints are signed with. The private half lies in the database, sealed under the master key.</summary>
internal sealed class CheckpointKeys(MasterKey masterKey, TimeProvider time) : IDisposable
{
    private (NoteKey Name, ECDsa Key)? _current;

    /// <summary>The key that signs now; the first call on a new database makes it.</summary>
    /// <param name="origin">The name of the log, and of its keys.</param>
    /// <param name="connection">In a transaction that holds the tree's row.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<(NoteKey Name, ECDsa Key)> CurrentAsync(
        string origin,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "select key_id, public_key, sealed_private_key from platform.checkpoint_keys where retired_at is null",
            connection
        );
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            if (await reader.ReadAsync(cancellationToken))
            {
                var id = reader.GetFieldValue<byte[]>(0);
                if (_current is { } known && known.Name.Id.Span.SequenceEqual(id))
                    return known;
                var key = ECDsa.Create();
                key.ImportPkcs8PrivateKey(masterKey.Open(reader.GetFieldValue<byte[]>(2), PurposeOf(id)), out _);
                return Keep(NoteKey.Create(origin, reader.GetFieldValue<byte[]>(1)), key);
            }
        }
        return await MakeAsync(origin, connection, cancellationToken);
    }

    /// <summary>Retires the key that signs now and makes the next one. What was signed stays valid: retired keys go on verifying.</summary>
    /// <param name="origin">The name of the log.</param>
    /// <param name="connection">In a transaction that holds the tree's row.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<NoteKey> RotateAsync(
        string origin,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var retire = new NpgsqlCommand(
            "update platform.checkpoint_keys set retired_at = $1, sealed_private_key = null where retired_at is null",
            connection
        );
        retire.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = time.GetUtcNow().UtcDateTime });
        await retire.ExecuteNonQueryAsync(cancellationToken);
        return (await MakeAsync(origin, connection, cancellationToken)).Name;
    }

    public void Dispose() => _current?.Key.Dispose();

    private async Task<(NoteKey Name, ECDsa Key)> MakeAsync(
        string origin,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var publicKey = key.ExportSubjectPublicKeyInfo();
        var name = NoteKey.Create(origin, publicKey);
        await using var insert = new NpgsqlCommand(
            """
            insert into platform.checkpoint_keys (key_id, public_key, sealed_private_key, created_at)
            values ($1, $2, $3, $4)
            """,
            connection
        );
        var id = name.Id.ToArray();
        insert.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = id });
        insert.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = publicKey });
        insert.Parameters.Add(
            new NpgsqlParameter<byte[]> { TypedValue = masterKey.Seal(key.ExportPkcs8PrivateKey(), PurposeOf(id)) }
        );
        insert.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = time.GetUtcNow().UtcDateTime });
        await insert.ExecuteNonQueryAsync(cancellationToken);
        return Keep(name, key);
    }

    private (NoteKey Name, ECDsa Key) Keep(NoteKey name, ECDsa key)
    {
        _current?.Key.Dispose();
        _current = (name, key);
        return (name, key);
    }

    public static string PurposeOf(ReadOnlySpan<byte> id) => $"platform.checkpoint-key:{Convert.ToHexStringLower(id)}";
}
