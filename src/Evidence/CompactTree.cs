using System.Numerics;

namespace Verbatim.Evidence;

/// <summary>A tree that only grows and remembers no more than its root needs: the roots of its complete subtrees, from left to right.</summary>
public sealed class CompactTree
{
    private readonly List<byte[]> _subtrees = [];

    /// <summary>An empty tree.</summary>
    public CompactTree() { }

    /// <param name="size">The leaves that the tree has already.</param>
    /// <param name="subtrees">The roots of its complete subtrees, the largest first: one for each bit of the size.</param>
    /// <exception cref="ArgumentException">They are not as many as the size has bits, or one is not a hash.</exception>
    public CompactTree(long size, IReadOnlyList<byte[]> subtrees)
    {
        ArgumentNullException.ThrowIfNull(subtrees);
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        if (
            subtrees.Count != BitOperations.PopCount((ulong)size)
            || subtrees.Any(s => s is not { Length: MerkleTree.HashSize })
        )
            throw new ArgumentException($"A tree of {size} leaves has other subtrees.", nameof(subtrees));
        Size = size;
        _subtrees.AddRange(subtrees);
    }

    /// <summary>The leaves.</summary>
    public long Size { get; private set; }

    /// <summary>The complete subtrees of a tree, the largest first.</summary>
    public static IEnumerable<MerkleNode> SubtreesOf(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        for (var level = 62; level >= 0; level--)
        {
            if ((size >> level & 1) == 1)
                yield return new MerkleNode(level, (size >> level) - 1);
        }
    }

    /// <summary>Adds a leaf.</summary>
    public void Add(ReadOnlySpan<byte> leafHash)
    {
        var hash = leafHash.ToArray();
        for (var rest = Size; (rest & 1) == 1; rest >>= 1)
        {
            MerkleTree.Join(_subtrees[^1], hash, hash);
            _subtrees.RemoveAt(_subtrees.Count - 1);
        }
        _subtrees.Add(hash);
        Size++;
    }

    /// <summary>The root hash.</summary>
    public byte[] Root()
    {
        if (_subtrees.Count == 0)
            return MerkleTree.EmptyRoot;
        var root = (byte[])_subtrees[^1].Clone();
        for (var i = _subtrees.Count - 2; i >= 0; i--)
            MerkleTree.Join(_subtrees[i], root, root);
        return root;
    }
}
