using Npgsql;
using Verbatim.Evidence;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Evidence;

/// <summary>A proof as it is served.</summary>
/// <param name="Hashes">The path, as RFC 6962 orders it.</param>
/// <param name="Root">The root of the larger tree.</param>
/// <param name="FirstRoot">For a proof of consistency, the root of the smaller tree.</param>
public sealed record TreeProof(IReadOnlyList<byte[]> Hashes, byte[] Root, byte[]? FirstRoot = null);

/// <summary>A checkpoint that was signed.</summary>
/// <param name="TreeSize">The leaves that it covers: all events up to this position.</param>
/// <param name="Time">When it was signed, UTC.</param>
/// <param name="RootHash">The root of the tree.</param>
/// <param name="Note">The signed note.</param>
public sealed record StoredCheckpoint(long TreeSize, DateTime Time, byte[] RootHash, string Note);

/// <summary>A key that checkpoints are, or were, signed with.</summary>
/// <param name="Key">Its public half.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="RetiredAt">UTC; null while it signs.</param>
public sealed record CheckpointKey(NoteKey Key, DateTime CreatedAt, DateTime? RetiredAt);

/// <summary>Reads the tree over the log: proofs from a few tiles each, and the checkpoints.</summary>
public sealed class TreeReader
{
    private readonly Database _database;

    internal TreeReader(Database database) => _database = database;

    /// <summary>The leaves that the tree has; 0 before the first checkpoint.</summary>
    public async Task<long> ReadSizeAsync(CancellationToken cancellationToken)
    {
        await using var command = _database.Writes.CreateCommand("select coalesce(max(size), 0) from platform.tree");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>The name of the log; null before the first checkpoint.</summary>
    public async Task<string?> ReadOriginAsync(CancellationToken cancellationToken)
    {
        await using var command = _database.Writes.CreateCommand("select origin from platform.tree");
        return (string?)await command.ExecuteScalarAsync(cancellationToken);
    }

    /// <summary>What a <see cref="CompactTree"/> of a size begins with.</summary>
    /// <param name="size">At most what <see cref="ReadSizeAsync"/> told.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<IReadOnlyList<byte[]>> ReadSubtreesAsync(long size, CancellationToken cancellationToken)
    {
        var nodes = CompactTree.SubtreesOf(size).ToList();
        return (
            await ProveAsync(node => new TreeProof([.. nodes.Select(node)], MerkleTree.EmptyRoot), cancellationToken)
        ).Hashes;
    }

    /// <summary>Proves that the event at a position is in a tree.</summary>
    /// <param name="position">From 1 to <paramref name="treeSize"/>.</param>
    /// <param name="treeSize">At most what <see cref="ReadSizeAsync"/> told.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public Task<TreeProof> ProveInclusionAsync(long position, long treeSize, CancellationToken cancellationToken) =>
        ProveAsync(
            node =>
            {
                var path = MerkleTree.ProveInclusion(position - 1, treeSize, node);
                // The path leads to the root with a hash a level; made from the tiles it would take hundreds.
                var leaf = node(new MerkleNode(0, position - 1));
                return new TreeProof(path, MerkleTree.RootOfInclusion(position - 1, treeSize, leaf, path)!);
            },
            cancellationToken
        );

    /// <summary>Proves many events of one tree, in the order of the log: tiles are read once for a batch, not once for an event.</summary>
    /// <param name="treeSize">At most what <see cref="ReadSizeAsync"/> told.</param>
    public InclusionProver ProveInclusions(long treeSize) => new(_database, treeSize);

    /// <summary>Proves that a tree is the beginning of a larger one.</summary>
    /// <param name="from">The leaves of the smaller, 1 or more.</param>
    /// <param name="to">The leaves of the larger, at most what <see cref="ReadSizeAsync"/> told.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public Task<TreeProof> ProveConsistencyAsync(long from, long to, CancellationToken cancellationToken) =>
        ProveAsync(
            node => new TreeProof(
                MerkleTree.ProveConsistency(from, to, node),
                MerkleTree.Root(0, to, node),
                MerkleTree.Root(0, from, node)
            ),
            cancellationToken
        );

    /// <summary>The leaf hash of an organization's event.</summary>
    /// <returns>Null when there is none at this position, or it is another organization's.</returns>
    public async Task<byte[]?> FindLeafAsync(Guid tenantId, long position, CancellationToken cancellationToken)
    {
        await using var command = _database.Writes.CreateCommand(
            "select leaf_hash from platform.events where position = $1 and tenant_id = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = position });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        return (byte[]?)await command.ExecuteScalarAsync(cancellationToken);
    }

    /// <summary>The keys that checkpoints were ever signed with, the current one first.</summary>
    public async Task<IReadOnlyList<CheckpointKey>> ReadKeysAsync(CancellationToken cancellationToken)
    {
        await using var command = _database.Writes.CreateCommand(
            """
            select t.origin, k.public_key, k.created_at, k.retired_at
            from platform.checkpoint_keys k cross join platform.tree t
            order by k.created_at desc
            """
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var keys = new List<CheckpointKey>();
        while (await reader.ReadAsync(cancellationToken))
            keys.Add(
                new CheckpointKey(
                    NoteKey.Create(reader.GetString(0), reader.GetFieldValue<byte[]>(1)),
                    reader.GetDateTime(2),
                    reader.IsDBNull(3) ? null : reader.GetDateTime(3)
                )
            );
        return keys;
    }

    /// <summary>Checkpoints, the largest first.</summary>
    /// <param name="below">Only smaller ones.</param>
    /// <param name="limit">The most that are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<IReadOnlyList<StoredCheckpoint>> ReadCheckpointsAsync(
        long below,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = _database.Writes.CreateCommand(
            """
            select tree_size, time, root_hash, note from platform.checkpoints
            where tree_size < $1 order by tree_size desc limit $2
            """
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = below });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var checkpoints = new List<StoredCheckpoint>();
        while (await reader.ReadAsync(cancellationToken))
            checkpoints.Add(
                new StoredCheckpoint(
                    reader.GetInt64(0),
                    reader.GetDateTime(1),
                    reader.GetFieldValue<byte[]>(2),
                    reader.GetString(3)
                )
            );
        return checkpoints;
    }

    /// <summary>Checkpoints above a size, the smallest first.</summary>
    /// <param name="above">Only larger ones,</param>
    /// <param name="upTo">and up to this size.</param>
    /// <param name="limit">The most that are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<IReadOnlyList<(long TreeSize, string Note)>> ReadNotesAsync(
        long above,
        long upTo,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = _database.Writes.CreateCommand(
            """
            select tree_size, note from platform.checkpoints
            where tree_size > $1 and tree_size <= $2 order by tree_size limit $3
            """
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = above });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var notes = new List<(long, string)>();
        while (await reader.ReadAsync(cancellationToken))
            notes.Add((reader.GetInt64(0), reader.GetString(1)));
        return notes;
    }

    // Made twice: the first time to learn which tiles it takes, so that they are read at once.
    private async Task<TreeProof> ProveAsync(
        Func<Func<MerkleNode, byte[]>, TreeProof> prove,
        CancellationToken cancellationToken
    )
    {
        var wanted = new HashSet<TreeTile>();
        prove(node =>
        {
            wanted.Add(TreeTile.Of(node));
            return MerkleTree.EmptyRoot;
        });
        await using var connection = await _database.Writes.OpenConnectionAsync(cancellationToken);
        var tiles = await ReadTilesAsync(connection, [.. wanted], cancellationToken);
        return prove(node =>
            tiles.TryGetValue(TreeTile.Of(node), out var tile)
                ? TreeTile.Read(tile, node)
                : throw new InvalidDataException($"The tree lacks the tile of {node}: platform.tree_tiles was changed.")
        );
    }

    internal static async Task<Dictionary<TreeTile, byte[]>> ReadTilesAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<TreeTile> tiles,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            select t.level, t.index, t.hashes
            from unnest($1::smallint[], $2::bigint[]) wanted(level, index)
            join platform.tree_tiles t on t.level = wanted.level and t.index = wanted.index
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. tiles.Select(t => (short)t.Level)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. tiles.Select(t => t.Index)] });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var read = new Dictionary<TreeTile, byte[]>();
        while (await reader.ReadAsync(cancellationToken))
            read.Add(new TreeTile(reader.GetInt16(0), reader.GetInt64(1)), reader.GetFieldValue<byte[]>(2));
        return read;
    }
}
