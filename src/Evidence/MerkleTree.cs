using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Verbatim.Evidence;

/// <summary>
/// The hashes and proofs of RFC 6962, section 2.1. A node is named by its level and index: at level L, node i is the root over the leaves
/// <c>i·2^L</c> up to <c>(i+1)·2^L</c>, so a leaf is a node of level 0. Leaves count from 0; positions of the log from 1.
/// </summary>
public static class MerkleTree
{
    /// <summary>The size of a hash in bytes.</summary>
    public const int HashSize = SHA256.HashSizeInBytes;

    private const byte NodePrefix = 0x01;

    /// <summary>The root of a tree without leaves: SHA-256 of nothing.</summary>
    public static byte[] EmptyRoot { get; } = SHA256.HashData([]);

    /// <summary>The hash of the node over two others: SHA-256(0x01 || left || right).</summary>
    public static byte[] Join(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var hash = new byte[HashSize];
        Join(left, right, hash);
        return hash;
    }

    /// <summary>The same, into <paramref name="destination"/>, which may be one of the two.</summary>
    public static void Join(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, Span<byte> destination)
    {
        Span<byte> node = stackalloc byte[1 + HashSize + HashSize];
        node[0] = NodePrefix;
        left.CopyTo(node[1..]);
        right.CopyTo(node[(1 + HashSize)..]);
        SHA256.HashData(node, destination);
    }

    /// <summary>The root over the leaves from <paramref name="start"/> to before <paramref name="end"/>.</summary>
    /// <param name="start">A multiple of the greatest power of two that is not above the number of leaves, as RFC 6962 splits trees.</param>
    /// <param name="end">Not before <paramref name="start"/>.</param>
    /// <param name="node">Gives complete nodes.</param>
    public static byte[] Root(long start, long end, Func<MerkleNode, byte[]> node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var size = end - start;
        if (size == 0)
            return EmptyRoot;
        if (BitOperations.IsPow2(size))
        {
            var level = BitOperations.Log2((ulong)size);
            return node(new MerkleNode(level, start >> level));
        }
        var split = start + Split(size);
        return Join(Root(start, split, node), Root(split, end, node));
    }

    /// <summary>The proof that a leaf is in a tree (RFC 6962, section 2.1.1), from the leaf's neighbour to the root.</summary>
    /// <param name="leaf">The leaf, from 0.</param>
    /// <param name="size">The tree's leaves; more than <paramref name="leaf"/>.</param>
    /// <param name="node">Gives complete nodes.</param>
    public static IReadOnlyList<byte[]> ProveInclusion(long leaf, long size, Func<MerkleNode, byte[]> node)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(leaf);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(leaf, size);
        return Path(leaf, 0, size, node);
    }

    /// <summary>
    /// The part of a leaf's proof that the proof of an earlier leaf does not give already: the path from the leaf up to where it meets the
    /// earlier one's. <see cref="InclusionChain"/> checks it.
    /// </summary>
    /// <param name="previous">The earlier leaf; null for all of the proof.</param>
    /// <param name="leaf">The leaf, behind <paramref name="previous"/>.</param>
    /// <param name="size">The tree's leaves; more than <paramref name="leaf"/>.</param>
    /// <param name="node">Gives complete nodes.</param>
    public static IReadOnlyList<byte[]> ProveInclusionBehind(
        long? previous,
        long leaf,
        long size,
        Func<MerkleNode, byte[]> node
    )
    {
        if (previous is not { } before)
            return ProveInclusion(leaf, size, node);
        ArgumentOutOfRangeException.ThrowIfNegative(before, nameof(previous));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(before, leaf, nameof(previous));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(leaf, size);
        var (start, end) = (0L, size);
        while (true)
        {
            var split = start + Split(end - start);
            if (leaf < split)
                end = split;
            else if (before >= split)
                start = split;
            else
                return Path(leaf, split, end, node);
        }
    }

    /// <summary>The proof that a tree is the beginning of a larger one (RFC 6962, section 2.1.2).</summary>
    /// <param name="first">The leaves of the smaller tree, 1 or more.</param>
    /// <param name="second">The leaves of the larger tree, not fewer.</param>
    /// <param name="node">Gives complete nodes.</param>
    public static IReadOnlyList<byte[]> ProveConsistency(long first, long second, Func<MerkleNode, byte[]> node)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, second);
        var path = new List<byte[]>();
        var (start, end) = (0L, second);
        while (end != first)
        {
            var split = start + Split(end - start);
            if (first <= split)
            {
                path.Add(Root(split, end, node));
                end = split;
            }
            else
            {
                path.Add(Root(start, split, node));
                start = split;
            }
        }
        // The verifier has the smaller tree's root already.
        if (start != 0)
            path.Add(Root(start, end, node));
        path.Reverse();
        return path;
    }

    /// <summary>Checks a proof of inclusion (RFC 9162, section 2.1.3.2).</summary>
    public static bool VerifyInclusion(
        long leaf,
        long size,
        ReadOnlySpan<byte> leafHash,
        IReadOnlyList<byte[]> path,
        ReadOnlySpan<byte> root
    ) => RootOfInclusion(leaf, size, leafHash, path) is { } found && root.SequenceEqual(found);

    /// <summary>The root that a proof of inclusion leads to; null when no tree of this size has such a path.</summary>
    public static byte[]? RootOfInclusion(long leaf, long size, ReadOnlySpan<byte> leafHash, IReadOnlyList<byte[]> path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (leaf < 0 || leaf >= size || !AreHashes(path))
            return null;
        var (node, last) = (leaf, size - 1);
        var hash = leafHash.ToArray();
        foreach (var sibling in path)
        {
            if (last == 0)
                return null;
            if ((node & 1) == 1 || node == last)
            {
                Join(sibling, hash, hash);
                Climb(ref node, ref last);
            }
            else
            {
                Join(hash, sibling, hash);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 ? hash : null;
    }

    /// <summary>Checks a proof of consistency (RFC 9162, section 2.1.4.2). Every tree continues the empty one.</summary>
    public static bool VerifyConsistency(
        long first,
        long second,
        ReadOnlySpan<byte> firstRoot,
        ReadOnlySpan<byte> secondRoot,
        IReadOnlyList<byte[]> path
    )
    {
        ArgumentNullException.ThrowIfNull(path);
        if (first < 0 || first > second || !AreHashes(path))
            return false;
        if (first == second)
            return path.Count == 0 && firstRoot.SequenceEqual(secondRoot);
        if (first == 0)
            return path.Count == 0 && firstRoot.SequenceEqual(EmptyRoot);
        if (path.Count == 0)
            return false;

        // A smaller tree that is complete is itself the first node of the path.
        var isComplete = BitOperations.IsPow2(first);
        var seed = isComplete ? firstRoot.ToArray() : path[0];
        var (node, last) = (first - 1, second - 1);
        while ((node & 1) == 1)
        {
            node >>= 1;
            last >>= 1;
        }
        var (one, two) = ((byte[])seed.Clone(), (byte[])seed.Clone());
        for (var i = isComplete ? 0 : 1; i < path.Count; i++)
        {
            if (last == 0)
                return false;
            if ((node & 1) == 1 || node == last)
            {
                Join(path[i], one, one);
                Join(path[i], two, two);
                Climb(ref node, ref last);
            }
            else
            {
                Join(two, path[i], two);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && firstRoot.SequenceEqual(one) && secondRoot.SequenceEqual(two);
    }

    // From the leaf's neighbour to the root of the subtree over these leaves.
    private static List<byte[]> Path(long leaf, long start, long end, Func<MerkleNode, byte[]> node)
    {
        var path = new List<byte[]>();
        while (end - start > 1)
        {
            var split = start + Split(end - start);
            if (leaf < split)
            {
                path.Add(Root(split, end, node));
                end = split;
            }
            else
            {
                path.Add(Root(start, split, node));
                start = split;
            }
        }
        path.Reverse();
        return path;
    }

    // At the right edge of the tree, levels on which the node has no neighbour are skipped.
    private static void Climb(ref long node, ref long last)
    {
        while ((node & 1) == 0 && node != 0)
        {
            node >>= 1;
            last >>= 1;
        }
    }

    // The greatest power of two below the size: where RFC 6962 splits a tree of two leaves or more.
    internal static long Split(long size) => 1L << BitOperations.Log2((ulong)(size - 1));

    private static bool AreHashes(IReadOnlyList<byte[]> path) => path.All(h => h is { Length: HashSize });
}

/// <summary>A complete node: the root over the leaves <c>Index·2^Level</c> up to <c>(Index+1)·2^Level</c>.</summary>
/// <param name="Level">0 for a leaf.</param>
/// <param name="Index">From 0.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct MerkleNode(int Level, long Index);
