using Verbatim.Evidence;

namespace Verbatim.Platform.Evidence;

/// <summary>The right edge of the tree: the last tile of each level. It is all that is needed to add leaves, and to tell the root.</summary>
internal sealed class TreeEdge
{
    private readonly List<Level> _levels = [];
    private readonly List<(TreeTile Tile, byte[] Hashes)> _full = [];

    /// <param name="size">The leaves of the tree.</param>
    /// <param name="tiles">The tiles that <see cref="TilesOf"/> names.</param>
    /// <exception cref="InvalidDataException">A tile is missing or too short.</exception>
    public TreeEdge(long size, IReadOnlyDictionary<TreeTile, byte[]> tiles)
    {
        Size = size;
        for (var level = 0; TreeTile.Hashes(size, level) is > 0 and var hashes; level++)
        {
            var tile = new TreeTile(level, hashes / TreeTile.Width);
            var length = (int)(hashes % TreeTile.Width) * MerkleTree.HashSize;
            var edge = new Level(tile.Index);
            if (length > 0)
            {
                if (!tiles.TryGetValue(tile, out var stored) || stored.Length < length)
                    throw new InvalidDataException(
                        $"The tree of {size} leaves lacks its tile {tile.Index} of level {level}: platform.tree_tiles was changed."
                    );
                stored.AsSpan(0, length).CopyTo(edge.Hashes);
                edge.Length = length;
            }
            _levels.Add(edge);
        }
    }

    /// <summary>The leaves.</summary>
    public long Size { get; private set; }

    /// <summary>The tiles at the right edge of a tree of some size.</summary>
    public static IEnumerable<TreeTile> TilesOf(long size)
    {
        for (var level = 0; TreeTile.Hashes(size, level) is > 0 and var hashes; level++)
        {
            if (hashes % TreeTile.Width > 0)
                yield return new TreeTile(level, hashes / TreeTile.Width);
        }
    }

    /// <summary>Adds the next leaf.</summary>
    public void Add(ReadOnlySpan<byte> leafHash)
    {
        Size++;
        var hash = leafHash;
        for (var level = 0; ; level++)
        {
            if (level == _levels.Count)
                _levels.Add(new Level(index: 0));
            var edge = _levels[level];
            hash.CopyTo(edge.Hashes.AsSpan(edge.Length));
            edge.Length += MerkleTree.HashSize;
            if (edge.Length < edge.Hashes.Length)
                return;

            _full.Add((new TreeTile(level, edge.Index), edge.Hashes));
            hash = TreeTile.Root(edge.Hashes);
            _levels[level] = new Level(edge.Index + 1);
        }
    }

    /// <summary>The tiles that became full since the last call, and those that are not full yet.</summary>
    public List<(TreeTile Tile, byte[] Hashes)> TakeTiles()
    {
        var tiles = new List<(TreeTile, byte[])>(_full);
        _full.Clear();
        for (var level = 0; level < _levels.Count; level++)
        {
            var edge = _levels[level];
            if (edge.Length > 0)
                tiles.Add((new TreeTile(level, edge.Index), edge.Hashes[..edge.Length]));
        }
        return tiles;
    }

    /// <summary>The root hash.</summary>
    public byte[] Root() =>
        // The complete subtrees that a tree is put together from are all at its right edge.
        MerkleTree.Root(0, Size, node => TreeTile.Read(_levels[TreeTile.Of(node).Level].Hashes, node));

    private sealed class Level(long index)
    {
        public long Index { get; } = index;

        public byte[] Hashes { get; } = new byte[TreeTile.Width * MerkleTree.HashSize];

        /// <summary>The bytes that are filled.</summary>
        public int Length { get; set; }
    }
}
