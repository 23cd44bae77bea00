using System.Runtime.InteropServices;

namespace Verbatim.Evidence;

/// <summary>
/// Checks that leaves are in one tree, from left to right. Each brings only the part of its proof that the leaf before it does not give:
/// the hashes from its neighbour up to where the two paths meet, since from there on all is known.
/// </summary>
/// <param name="size">The tree's leaves.</param>
/// <param name="root">Its root.</param>
public sealed class InclusionChain(long size, ReadOnlyMemory<byte> root)
{
    // The nodes over the last leaf, the root first. Their hashes are proven.
    private readonly List<Node> _path = [];

    /// <summary>The last leaf that was added, from 0; null before the first.</summary>
    public long? Last => _path.Count > 0 ? _path[^1].Start : null;

    /// <summary>Checks the next leaf.</summary>
    /// <param name="leaf">From 0; behind the last one.</param>
    /// <param name="leafHash">Its hash.</param>
    /// <param name="proof">What <see cref="MerkleTree.ProveInclusionBehind"/> gives.</param>
    /// <returns>False when it is not in the tree, or the proof is longer or shorter than it must be.</returns>
    public bool TryAdd(long leaf, ReadOnlySpan<byte> leafHash, IReadOnlyList<byte[]> proof)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (leaf < 0 || leaf >= size || leaf <= Last || leafHash.Length != MerkleTree.HashSize)
            return false;

        // The paths meet in the lowest node over both leaves; the earlier one is in its left half, this one in its right half.
        var shared = _path.FindLastIndex(node => leaf < node.End);
        var (start, end) = (0L, size);
        if (shared >= 0)
            (start, end) = (_path[shared + 1].End, _path[shared].End);
        var below = new List<Node>();
        for (; end - start > 1; )
        {
            below.Add(new Node(start, end, []));
            var split = start + MerkleTree.Split(end - start);
            (start, end) = leaf < split ? (start, split) : (split, end);
        }
        if (proof.Count != below.Count || proof.Any(h => h is not { Length: MerkleTree.HashSize }))
            return false;

        var hash = leafHash.ToArray();
        var child = new Node(start, end, hash);
        var path = new List<Node> { child };
        foreach (var sibling in proof)
        {
            var parent = below[^path.Count];
            hash = child.Start == parent.Start ? MerkleTree.Join(hash, sibling) : MerkleTree.Join(sibling, hash);
            child = parent with { Hash = hash };
            path.Add(child);
        }
        if (
            shared < 0
                ? !root.Span.SequenceEqual(hash)
                : !MerkleTree.Join(_path[shared + 1].Hash, hash).AsSpan().SequenceEqual(_path[shared].Hash)
        )
            return false;

        _path.RemoveRange(shared + 1, _path.Count - shared - 1);
        path.Reverse();
        _path.AddRange(path);
        return true;
    }

    /// <summary>The node over the leaves from <paramref name="Start"/> to before <paramref name="End"/>.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Node(long Start, long End, byte[] Hash);
}
