using System.Runtime.InteropServices;
using Verbatim.Evidence;

namespace Verbatim.Platform.Evidence;

/// <summary>Where a tile of the tree is.</summary>
/// <param name="Level">0 for the tiles of leaf hashes; each level spans eight levels of nodes.</param>
/// <param name="Index">From 0.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TreeTile(int Level, long Index)
{
    /// <summary>The hashes of a full tile.</summary>
    public const int Width = 1 << Height;

    /// <summary>The levels of nodes that a tile spans.</summary>
    public const int Height = 8;

    /// <summary>How many subtrees of a level's size a tree has, full tiles and the last one together.</summary>
    public static long Hashes(long treeSize, int level) => level * Height >= 63 ? 0 : treeSize >> (level * Height);

    /// <summary>The tile that a node's hash is in, or is made of.</summary>
    public static TreeTile Of(MerkleNode node) =>
        new(node.Level / Height, node.Index << (node.Level % Height) >> Height);

    /// <summary>The hash of a node, from its tile.</summary>
    public static byte[] Read(ReadOnlySpan<byte> tile, MerkleNode node)
    {
        var width = 1 << (node.Level % Height);
        var start = (int)(node.Index * width % Width);
        return Root(tile.Slice(start * MerkleTree.HashSize, width * MerkleTree.HashSize));
    }

    /// <summary>The root over a power of two of hashes.</summary>
    public static byte[] Root(ReadOnlySpan<byte> hashes)
    {
        var level = hashes.ToArray();
        for (var length = level.Length; length > MerkleTree.HashSize; length /= 2)
        {
            for (var at = 0; at < length; at += 2 * MerkleTree.HashSize)
                MerkleTree.Join(
                    level.AsSpan(at, MerkleTree.HashSize),
                    level.AsSpan(at + MerkleTree.HashSize, MerkleTree.HashSize),
                    level.AsSpan(at / 2, MerkleTree.HashSize)
                );
        }
        return level[..MerkleTree.HashSize];
    }
}
