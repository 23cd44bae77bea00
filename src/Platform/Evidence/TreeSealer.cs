using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Evidence;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Evidence;

/// <summary>
/// Extends the tree over the log and signs a checkpoint, every second while there are new events. The lock on the tree's row makes one
/// instance do it at a time, whichever comes first.
/// </summary>
/// <remarks>
/// It signs only what continues what was signed before: it adds the leaves that it reads to the tree as it was stored, and stops, loudly,
/// at a position that is missing.
/// </remarks>
internal sealed partial class TreeSealer(
    Database database,
    CheckpointKeys keys,
    IConfiguration configuration,
    IdSource ids,
    TimeProvider time,
    ILogger<TreeSealer> logger
) : BackgroundService
{
    private const string OriginSetting = "Evidence:Origin";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // So many leaves are added in one transaction: a few megabytes of tiles.
    private const int MaxLeaves = 100_000;

    private readonly ILogger<TreeSealer> _logger = logger;
    private readonly string? _origin = ReadOrigin(configuration);
    private bool _isFailing;

    /// <summary>Adds what the log has now, and signs.</summary>
    /// <returns>The size of the tree; null when another instance is at it.</returns>
    /// <exception cref="InvalidDataException">The log or the tree was changed, so nothing is signed.</exception>
    public async Task<long?> SealAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        // Asked without a lock, which would write to the disk every second of a quiet night.
        if (await ReadSizeIfCompleteAsync(connection, cancellationToken) is { } complete)
            return complete;
        while (true)
        {
            await using var transaction = await connection.BeginWatchedAsync(cancellationToken);
            if (await LockAsync(connection, cancellationToken) is not var (origin, size))
                return null;
            var head = await LogReader.ReadHeadAsync(connection, cancellationToken);
            if (head < size)
                throw new InvalidDataException(
                    $"The log ends at position {head}, but {size} were signed: events were removed."
                );
            if (head > size)
            {
                var upTo = Math.Min(head, size + MaxLeaves);
                await ExtendAsync(origin, size, upTo, connection, cancellationToken);
                size = upTo;
            }
            await transaction.CommitAsync(cancellationToken);
            if (size == head)
                return size;
        }
    }

    /// <summary>Retires the key that signs, and makes another. Waits for the instance that is signing.</summary>
    /// <returns>The key that signs from now on, on every instance.</returns>
    public async Task<NoteKey> RotateKeyAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginWatchedAsync(cancellationToken);
        await using var command = new NpgsqlCommand("select origin from platform.tree for update", connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is not string origin)
            throw new InvalidOperationException("Nothing is signed yet, so there is no key.");
        var key = await keys.RotateAsync(origin, connection, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return key;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                await SealAsync(stoppingToken);
                if (_isFailing)
                    LogRecovered();
                _isFailing = false;
            }
            catch (Exception e) when (e is not OutOfMemoryException && !stoppingToken.IsCancellationRequested)
            {
                if (!_isFailing)
                    LogFailed(e);
                _isFailing = true;
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task ExtendAsync(
        string origin,
        long size,
        long upTo,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        var tiles = await TreeReader.ReadTilesAsync(connection, [.. TreeEdge.TilesOf(size)], cancellationToken);
        var edge = new TreeEdge(size, tiles);
        await AddLeavesAsync(edge, upTo, connection, cancellationToken);

        var checkpoint = new Checkpoint(origin, edge.Size, edge.Root());
        var (name, key) = await keys.CurrentAsync(origin, connection, cancellationToken);
        var note = checkpoint.Sign(name, key).ToString();

        await using var batch = new NpgsqlBatch(connection);
        var written = edge.TakeTiles();
        var tile = new NpgsqlBatchCommand(
            """
            insert into platform.tree_tiles (level, index, hashes)
            select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])
            on conflict (level, index) do update set hashes = excluded.hashes
            """
        );
        tile.Parameters.Add(
            new NpgsqlParameter<short[]> { TypedValue = [.. written.Select(t => (short)t.Tile.Level)] }
        );
        tile.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. written.Select(t => t.Tile.Index)] });
        tile.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. written.Select(t => t.Hashes)] });
        batch.BatchCommands.Add(tile);

        var sign = new NpgsqlBatchCommand(
            "insert into platform.checkpoints (tree_size, time, root_hash, note) values ($1, $2, $3, $4)"
        );
        sign.Parameters.Add(new NpgsqlParameter<long> { TypedValue = edge.Size });
        sign.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = time.GetUtcNow().UtcDateTime });
        sign.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = checkpoint.Root.ToArray() });
        sign.Parameters.Add(new NpgsqlParameter<string> { TypedValue = note });
        batch.BatchCommands.Add(sign);

        var grow = new NpgsqlBatchCommand("update platform.tree set size = $1");
        grow.Parameters.Add(new NpgsqlParameter<long> { TypedValue = edge.Size });
        batch.BatchCommands.Add(grow);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task AddLeavesAsync(
        TreeEdge edge,
        long upTo,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "select position, leaf_hash from platform.events where position > $1 and position <= $2 order by position",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = edge.Size });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var hash = reader.GetFieldValue<byte[]>(1);
            if (reader.GetInt64(0) != edge.Size + 1 || hash.Length != MerkleTree.HashSize)
                break;
            edge.Add(hash);
        }
        if (edge.Size != upTo)
            throw new InvalidDataException(
                $"The log has no sound event at position {edge.Size + 1}, though it has later ones: it was changed."
            );
    }

    private async Task<(string Origin, long Size)?> LockAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await MakeAsync(connection, cancellationToken);
        await using var command = new NpgsqlCommand(
            "select origin, size from platform.tree for update skip locked",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? (reader.GetString(0), reader.GetInt64(1)) : null;
    }

    private async Task MakeAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var insert = new NpgsqlCommand(
            "insert into platform.tree (origin, size) values ($1, 0) on conflict do nothing",
            connection
        );
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _origin ?? $"verbatim/{ids.New():N}" });
        await insert.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<long?> ReadSizeIfCompleteAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "select size from platform.tree where size = (select coalesce(max(position), 0) from platform.events)",
            connection
        );
        return (long?)await command.ExecuteScalarAsync(cancellationToken);
    }

    private static string? ReadOrigin(IConfiguration configuration) =>
        configuration[OriginSetting] switch
        {
            null or "" => null,
            var given when NoteKey.IsName(given) => given,
            var given => throw new SettingException(
                $"{OriginSetting} is '{given}'; it names the log in every checkpoint, without white space or '+': example.com/verbatim."
            ),
        };

    [LoggerMessage(LogLevel.Error, "No checkpoint could be signed; trying again every second")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(LogLevel.Information, "Checkpoints are signed again")]
    private partial void LogRecovered();
}
