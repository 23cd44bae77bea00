using Verbatim.Evidence;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Evidence;

/// <summary>
/// Proves events in the order of the log against one tree, each by what the proof of the one before does not give
/// (<see cref="MerkleTree.ProveInclusionBehind"/>). For <see cref="InclusionChain"/>.
/// </summary>
public sealed class InclusionProver
{
    private readonly Database _database;
    private readonly long _treeSize;
    private Dictionary<TreeTile, byte[]> _tiles = [];
    private long? _last;

    internal InclusionProver(Database database, long treeSize)
    {
        _database = database;
        _treeSize = treeSize;
    }

    /// <summary>The proofs of the next events.</summary>
    /// <param name="positions">Rising, behind those of the last call, none above the tree's size.</param>
    /// <param name="cancellationToken">Ends the reading of tiles.</param>
    /// <exception cref="InvalidDataException">The tree lacks a tile: its table was changed.</exception>
    public async Task<IReadOnlyList<IReadOnlyList<byte[]>>> ProveAsync(
        IReadOnlyList<long> positions,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(positions);
        // Made twice: the first time to learn which tiles it takes, so that they are read at once.
        var wanted = new HashSet<TreeTile>();
        Prove(
            positions,
            node =>
            {
                wanted.Add(TreeTile.Of(node));
                return MerkleTree.EmptyRoot;
            }
        );
        // Positions rise: a tile that this batch does not take, none behind it takes but by chance. Only the last batch's are kept.
        var tiles = wanted.Where(_tiles.ContainsKey).ToDictionary(tile => tile, tile => _tiles[tile]);
        if (tiles.Count < wanted.Count)
        {
            await using var connection = await _database.Writes.OpenConnectionAsync(cancellationToken);
            var read = await TreeReader.ReadTilesAsync(
                connection,
                [.. wanted.Where(t => !tiles.ContainsKey(t))],
                cancellationToken
            );
            foreach (var (tile, hashes) in read)
                tiles.Add(tile, hashes);
        }
        _tiles = tiles;
        var proofs = Prove(
            positions,
            node =>
                tiles.TryGetValue(TreeTile.Of(node), out var tile)
                    ? TreeTile.Read(tile, node)
                    : throw new InvalidDataException(
                        $"The tree lacks the tile of {node}: platform.tree_tiles was changed."
                    )
        );
        if (positions.Count > 0)
            _last = positions[^1] - 1;
        return proofs;
    }

    private List<IReadOnlyList<byte[]>> Prove(IReadOnlyList<long> positions, Func<MerkleNode, byte[]> node)
    {
        var previous = _last;
        var proofs = new List<IReadOnlyList<byte[]>>(positions.Count);
        foreach (var position in positions)
        {
            proofs.Add(MerkleTree.ProveInclusionBehind(previous, position - 1, _treeSize, node));
            previous = position - 1;
        }
        return proofs;
    }
}
