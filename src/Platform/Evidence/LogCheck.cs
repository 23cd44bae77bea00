using System.Globalization;
using Npgsql;
using Verbatim.Evidence;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Evidence;

/// <summary>What was found in the tables of the log.</summary>
/// <param name="TreeSize">The events that are signed.</param>
/// <param name="Head">The events that there are.</param>
/// <param name="Checkpoints">The checkpoints that were met, all of them sound.</param>
/// <param name="Position">The first position that is wrong, or behind which it is; 0 if there is none.</param>
/// <param name="Problem">What is wrong, for a person; null when everything is as it was signed.</param>
internal sealed record LogReport(long TreeSize, long Head, int Checkpoints, long Position, string? Problem);

/// <summary>
/// Checks the tables themselves against what was signed of them: hashes every event again, builds the tree, and compares all tiles, all
/// checkpoints and their signatures, up to the first thing that is wrong. Memory does not grow with the log.
/// </summary>
/// <param name="connection">In a transaction that sees one moment.</param>
/// <param name="keys">The keys that are trusted.</param>
/// <param name="kept">Checkpoints that were kept outside.</param>
internal sealed class LogCheck(
    NpgsqlConnection connection,
    IReadOnlyCollection<NoteKey> keys,
    IReadOnlyDictionary<long, Checkpoint> kept
)
{
    private const int PageSize = 10_000;

    // A checkpoint is signed over so many new events at most.
    private const int MostLeaves = 100_000;

    private readonly LogReader.Names _names = new();
    private readonly TreeEdge _edge = new(0, new Dictionary<TreeTile, byte[]>());

    // The leaves since the last checkpoint that was met, to tell which of them is wrong.
    private readonly List<byte[]> _since = [];
    private byte[] _scratch = new byte[4096];
    private string _origin = "";
    private long _treeSize;
    private long _head;
    private long _proven;
    private int _checkpoints;

    public async Task<LogReport> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CheckAsync(cancellationToken);
            return new LogReport(_treeSize, _head, _checkpoints, 0, null);
        }
        catch (LogFault fault)
        {
            return new LogReport(_treeSize, _head, _checkpoints, fault.Position, fault.Message);
        }
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        await ReadTreeAsync(cancellationToken);
        _head = await LogReader.ReadHeadAsync(connection, cancellationToken);
        if (_head < _treeSize)
            throw new LogFault(
                _head + 1,
                $"The log ends at position {_head}, but {_treeSize} events were signed: events were removed."
            );
        if (kept.Values.FirstOrDefault(c => c.Origin != _origin) is { } stranger)
            throw new LogFault(0, $"The kept checkpoint is of the log {stranger.Origin}, the database of {_origin}.");

        for (var after = 0L; after < _treeSize; )
        {
            var upTo = Math.Min(_treeSize, after + PageSize);
            await CheckPageAsync(after, upTo, cancellationToken);
            after = upTo;
        }
        if (_proven != _treeSize)
            throw new LogFault(
                _proven + 1,
                $"The tree has {_treeSize} events, and the last checkpoint covers {_proven}: a checkpoint was removed."
            );
        await CheckRestOfTreeAsync(cancellationToken);

        for (var after = _treeSize; after < _head; after += PageSize)
            await foreach (var _ in HashAsync(after, Math.Min(_head, after + PageSize), cancellationToken)) { }
        if (kept.Keys.Where(size => size > _treeSize).Order().FirstOrDefault() is > 0 and var missing)
            throw new LogFault(
                _treeSize + 1,
                $"The log had {missing} signed events when the kept checkpoint was made; the database has {_treeSize}: its end was cut off."
            );
    }

    private async Task ReadTreeAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select origin, size from platform.tree", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            throw new LogFault(0, $"Nothing is signed: platform.tree has no row.");
        (_origin, _treeSize) = (reader.GetString(0), reader.GetInt64(1));
    }

    private async Task CheckPageAsync(long after, long upTo, CancellationToken cancellationToken)
    {
        var signed = await ReadCheckpointsAsync(after, upTo, cancellationToken);
        await foreach (var leaf in HashAsync(after, upTo, cancellationToken))
        {
            _edge.Add(leaf);
            if (_since.Count < MostLeaves)
                _since.Add(leaf);
            if (signed.TryGetValue(_edge.Size, out var checkpoint))
                await CompareAsync(checkpoint, cancellationToken);
            if (kept.TryGetValue(_edge.Size, out var known) && !known.Root.Span.SequenceEqual(_edge.Root()))
                throw new LogFault(
                    _edge.Size,
                    $"The events up to position {_edge.Size} are not those that the kept checkpoint covers."
                );
        }
        var isEnd = upTo == _treeSize;
        await CompareTilesAsync([.. _edge.TakeTiles().Where(t => isEnd || IsFull(t.Hashes))], cancellationToken);
    }

    // Positions without a gap, each with the leaf hash that is stored.
    private async IAsyncEnumerable<byte[]> HashAsync(
        long after,
        long upTo,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        // Not while the events are read: what is wrong with one may have to be asked of the same connection.
        var page = new List<byte[]>();
        LogFault? fault = null;
        await using (
            var command = new NpgsqlCommand(
                $"select {LogReader.Columns} from platform.events where position > $1 and position <= $2 order by position",
                connection
            )
        )
        {
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (fault is null && await reader.ReadAsync(cancellationToken))
            {
                fault = Check(reader, after + page.Count + 1, out var leaf);
                if (fault is null)
                    page.Add(leaf);
            }
        }
        if (fault is null && after + page.Count < upTo)
            fault = new LogFault(
                after + page.Count + 1,
                $"Position {after + page.Count + 1} is missing: an event was removed."
            );
        foreach (var leaf in page)
            yield return leaf;
        if (fault is not null)
            throw fault;
    }

    private LogFault? Check(NpgsqlDataReader reader, long position, out byte[] leaf)
    {
        leaf = new byte[MerkleTree.HashSize];
        try
        {
            var recorded = LogReader.Read(reader, _names);
            if (recorded.Position != position)
                return new LogFault(
                    position,
                    $"Position {position} is missing, and {recorded.Position} follows: events were removed or moved."
                );
            LeafEncoding.Hash(ref _scratch, recorded.Header, recorded.Data.Span, leaf);
            return recorded.LeafHash.Span.SequenceEqual(leaf)
                ? null
                : new LogFault(
                    position,
                    $"The event at position {position} does not have its leaf hash: one of the two was changed."
                );
        }
        catch (Exception e) when (e is OverflowException or InvalidCastException or ArgumentException)
        {
            // What nobody ever wrote, such as a version of 70,000 or an actor of a megabyte.
            return new LogFault(position, $"The event at position {position} has a value that no event has.");
        }
    }

    private async Task<Dictionary<long, StoredCheckpoint>> ReadCheckpointsAsync(
        long above,
        long upTo,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            select tree_size, time, root_hash, note from platform.checkpoints
            where tree_size > $1 and tree_size <= $2 order by tree_size
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = above });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var checkpoints = new Dictionary<long, StoredCheckpoint>();
        while (await reader.ReadAsync(cancellationToken))
            checkpoints.Add(
                reader.GetInt64(0),
                new StoredCheckpoint(
                    reader.GetInt64(0),
                    reader.GetDateTime(1),
                    reader.GetFieldValue<byte[]>(2),
                    reader.GetString(3)
                )
            );
        return checkpoints;
    }

    private async Task CompareAsync(StoredCheckpoint stored, CancellationToken cancellationToken)
    {
        var size = stored.TreeSize;
        if (!Checkpoint.TryOpen(stored.Note, keys, out var checkpoint, out var why))
            throw new LogFault(size, $"The checkpoint of {size} events is not valid: {why}");
        if (checkpoint.Origin != _origin)
            throw new LogFault(
                size,
                $"The checkpoint of {size} events is of the log {checkpoint.Origin}, the database of {_origin}."
            );
        if (checkpoint.Size != size)
            throw new LogFault(
                size,
                $"The checkpoint of {size} events is signed over {checkpoint.Size}: its row was changed."
            );
        if (!checkpoint.Root.Span.SequenceEqual(_edge.Root()))
            throw await FindAsync(size, cancellationToken);
        if (!stored.RootHash.AsSpan().SequenceEqual(checkpoint.Root.Span))
            throw new LogFault(
                size,
                $"The root hash beside the checkpoint of {size} events is not the one that was signed."
            );
        _proven = size;
        _checkpoints++;
        _since.Clear();
    }

    // The tiles hold the leaves as they were signed, unless they were changed with them.
    private async Task<LogFault> FindAsync(long size, CancellationToken cancellationToken)
    {
        var tiles = await TreeReader.ReadTilesAsync(
            connection,
            [
                .. Enumerable
                    .Range(0, (int)((_proven + _since.Count - 1) / TreeTile.Width - _proven / TreeTile.Width) + 1)
                    .Select(i => new TreeTile(0, _proven / TreeTile.Width + i)),
            ],
            cancellationToken
        );
        for (var i = 0; i < _since.Count; i++)
        {
            var leaf = _proven + i;
            if (!tiles.TryGetValue(new TreeTile(0, leaf / TreeTile.Width), out var tile))
                continue;
            var at = (int)(leaf % TreeTile.Width) * MerkleTree.HashSize;
            if (
                tile.Length < at + MerkleTree.HashSize
                || !tile.AsSpan(at, MerkleTree.HashSize).SequenceEqual(_since[i])
            )
                return new LogFault(
                    leaf + 1,
                    $"The event at position {leaf + 1} is not the one that was signed: it was changed together with its leaf hash."
                );
        }
        return new LogFault(
            _proven + 1,
            $"An event between the positions {_proven + 1} and {size} is not the one that was signed."
        );
    }

    private async Task CompareTilesAsync(
        List<(TreeTile Tile, byte[] Hashes)> tiles,
        CancellationToken cancellationToken
    )
    {
        var stored = await TreeReader.ReadTilesAsync(connection, [.. tiles.Select(t => t.Tile)], cancellationToken);
        foreach (var (tile, hashes) in tiles)
        {
            if (!stored.TryGetValue(tile, out var found) || !found.AsSpan().SequenceEqual(hashes))
                throw new LogFault(
                    (tile.Index * TreeTile.Width << (tile.Level * TreeTile.Height)) + 1,
                    $"The tile {tile.Index} of level {tile.Level} of the tree is {(found is null ? "missing" : "not what the events give")}: platform.tree_tiles was changed."
                );
        }
    }

    // Every row that belongs there was met; there must be no other.
    private async Task CheckRestOfTreeAsync(CancellationToken cancellationToken)
    {
        var tiles = 0L;
        for (var level = 0; TreeTile.Hashes(_treeSize, level) is > 0 and var hashes; level++)
            tiles += (hashes + TreeTile.Width - 1) / TreeTile.Width;
        await using var command = new NpgsqlCommand(
            "select (select count(*) from platform.tree_tiles), (select count(*) from platform.checkpoints)",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        if (reader.GetInt64(0) != tiles)
            throw new LogFault(
                _treeSize + 1,
                $"A tree of {_treeSize} events has {tiles} tiles, and platform.tree_tiles has {reader.GetInt64(0)}."
            );
        if (reader.GetInt64(1) != _checkpoints)
            throw new LogFault(
                _treeSize + 1,
                $"platform.checkpoints has a checkpoint beyond the {_treeSize} events of the tree."
            );
    }

    private static bool IsFull(byte[] hashes) => hashes.Length == TreeTile.Width * MerkleTree.HashSize;

    /// <summary>The first thing that is wrong.</summary>
    private sealed class LogFault(long position, FormattableString problem)
        : Exception(problem.ToString(CultureInfo.InvariantCulture))
    {
        public long Position { get; } = position;
    }
}
