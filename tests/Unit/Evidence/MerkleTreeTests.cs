using System.Security.Cryptography;
using Verbatim.Evidence;

namespace Verbatim.Tests.Unit.Evidence;

public sealed class MerkleTreeTests
{
    // The leaves and roots that implementations of RFC 6962 have compared since Google's first one.
    private static readonly string[] Inputs =
    [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];

    private static readonly string[] Roots =
    [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    [Fact]
    public void Roots_agree_with_the_known_vectors()
    {
        byte[][] leaves = [.. Inputs.Select(i => Leaf(Convert.FromHexString(i)))];

        Assert.Equal(
            Roots,
            Enumerable.Range(1, 8).Select(n => Convert.ToHexStringLower(RootByDefinition(leaves.AsSpan(0, n))))
        );
        Assert.Equal(
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            Convert.ToHexStringLower(MerkleTree.EmptyRoot)
        );
    }

    [Fact]
    public void Each_leaf_of_each_tree_is_proven_and_no_other_is()
    {
        var leaves = Leaves(70);
        for (var size = 1; size <= leaves.Length; size++)
        {
            var root = RootByDefinition(leaves.AsSpan(0, size));
            for (var leaf = 0; leaf < size; leaf++)
            {
                var path = MerkleTree.ProveInclusion(leaf, size, NodeOf(leaves));

                Assert.True(MerkleTree.VerifyInclusion(leaf, size, leaves[leaf], path, root), $"{leaf} of {size}");
                Assert.False(MerkleTree.VerifyInclusion(leaf, size, Leaf([1, 2, 3]), path, root));
                Assert.False(MerkleTree.VerifyInclusion(leaf, size, leaves[leaf], [.. path, root], root));
                Assert.False(MerkleTree.VerifyInclusion(leaf, size, leaves[leaf], path, Leaf([])));
                if (size > 1)
                {
                    Assert.False(MerkleTree.VerifyInclusion(leaf, size, leaves[leaf], [.. path.Skip(1)], root));
                    Assert.False(MerkleTree.VerifyInclusion((leaf + 1) % size, size, leaves[leaf], path, root));
                }
            }
        }
    }

    [Fact]
    public void Each_tree_is_proven_to_begin_each_larger_one()
    {
        var leaves = Leaves(70);
        byte[][] roots = [.. Enumerable.Range(0, 71).Select(n => RootByDefinition(leaves.AsSpan(0, n)))];
        for (var second = 1; second <= leaves.Length; second++)
        {
            for (var first = 1; first <= second; first++)
            {
                var path = MerkleTree.ProveConsistency(first, second, NodeOf(leaves));

                Assert.True(
                    MerkleTree.VerifyConsistency(first, second, roots[first], roots[second], path),
                    $"{first} to {second}"
                );
                Assert.False(MerkleTree.VerifyConsistency(first, second, Leaf([9]), roots[second], path));
                Assert.False(MerkleTree.VerifyConsistency(first, second, roots[first], Leaf([9]), path));
                Assert.False(
                    MerkleTree.VerifyConsistency(first, second, roots[first], roots[second], [.. path, Leaf([9])])
                );
                if (first < second)
                    Assert.False(
                        MerkleTree.VerifyConsistency(first, second, roots[first], roots[second], [.. path.Skip(1)])
                    );
            }
        }
    }

    [Fact]
    public void Every_tree_continues_the_empty_one()
    {
        var root = Leaf([1]);

        Assert.True(MerkleTree.VerifyConsistency(0, 1, MerkleTree.EmptyRoot, root, []));
        Assert.False(MerkleTree.VerifyConsistency(0, 1, root, root, []));
        Assert.False(MerkleTree.VerifyConsistency(2, 1, root, root, []));
        Assert.False(MerkleTree.VerifyConsistency(-1, 1, root, root, []));
    }

    [Fact]
    public void What_is_no_hash_is_no_proof()
    {
        var leaves = Leaves(2);
        var root = RootByDefinition(leaves);

        Assert.True(MerkleTree.VerifyInclusion(0, 2, leaves[0], [leaves[1]], root));
        Assert.False(MerkleTree.VerifyInclusion(0, 2, leaves[0], [leaves[1][..31]], root));
        Assert.False(MerkleTree.VerifyInclusion(0, 2, leaves[0], [null!], root));
        Assert.False(MerkleTree.VerifyInclusion(2, 2, leaves[0], [leaves[1]], root));
        Assert.False(MerkleTree.VerifyInclusion(-1, 2, leaves[0], [leaves[1]], root));
    }

    internal static byte[] Leaf(byte[] data) => SHA256.HashData([0, .. data]);

    internal static byte[][] Leaves(int count) =>
        [.. Enumerable.Range(0, count).Select(i => Leaf(BitConverter.GetBytes(i)))];

    /// <summary>MTH as RFC 6962 defines it, with nothing clever.</summary>
    internal static byte[] RootByDefinition(ReadOnlySpan<byte[]> leaves)
    {
        if (leaves.Length == 0)
            return SHA256.HashData([]);
        if (leaves.Length == 1)
            return leaves[0];
        var split = 1;
        while (split * 2 < leaves.Length)
            split *= 2;
        return SHA256.HashData([1, .. RootByDefinition(leaves[..split]), .. RootByDefinition(leaves[split..])]);
    }

    private static Func<MerkleNode, byte[]> NodeOf(byte[][] leaves) =>
        node => RootByDefinition(leaves.AsSpan((int)(node.Index << node.Level), 1 << node.Level));
}
