using FsCheck;
using FsCheck.Fluent;
using Verbatim.Evidence;
using Verbatim.Platform.Evidence;

namespace Verbatim.Tests.Unit.Evidence;

/// <summary>The trees that the product keeps, beside the definition of RFC 6962 with nothing clever, on random sizes.</summary>
public sealed class TreeModelTests
{
    private const int Most = 3000;

    private static readonly byte[][] Leaves = MerkleTreeTests.Leaves(Most);

    private static readonly Gen<int> Size = Gen.Frequency(
        (3, Gen.Choose(1, 20)),
        // Where tiles of 256 end and begin.
        (2, Gen.Elements(255, 256, 257, 511, 512, 513, 1024, 2047)),
        (3, Gen.Choose(1, Most))
    );

    [Fact]
    public void A_tree_that_is_continued_has_the_root_that_the_definition_gives() =>
        Holds(
            from first in Size
            from second in Size
            select (Math.Min(first, second), Math.Max(first, second)),
            sizes =>
            {
                var (first, second) = sizes;
                var subtrees = CompactTree.SubtreesOf(first).Select(Node).ToList();
                var compact = new CompactTree(first, subtrees);
                var edge = new TreeEdge(first, TilesOf(first));
                for (var leaf = first; leaf < second; leaf++)
                {
                    compact.Add(Leaves[leaf]);
                    edge.Add(Leaves[leaf]);
                }
                var root = MerkleTreeTests.RootByDefinition(Leaves.AsSpan(0, second));
                return compact.Root().SequenceEqual(root)
                    && edge.Root().SequenceEqual(root)
                    && MerkleTree.VerifyConsistency(
                        first,
                        second,
                        MerkleTreeTests.RootByDefinition(Leaves.AsSpan(0, first)),
                        root,
                        MerkleTree.ProveConsistency(first, second, NodeOfTiles(second))
                    );
            }
        );

    [Fact]
    public void Any_rising_choice_of_leaves_is_proven_by_what_the_ones_before_do_not_give() =>
        Holds(
            Choice(),
            choice =>
            {
                var chain = new InclusionChain(choice.Size, Root(choice.Size));
                long? previous = null;
                foreach (var leaf in choice.Leaves)
                {
                    var proof = MerkleTree.ProveInclusionBehind(previous, leaf, choice.Size, NodeOfTiles(choice.Size));
                    if (!chain.TryAdd(leaf, Leaves[leaf], proof))
                        return false;
                    previous = leaf;
                }
                return chain.Last == previous;
            }
        );

    [Fact]
    public void No_other_leaf_and_no_other_proof_is_believed() =>
        Holds(
            from choice in Choice()
            from wrong in Gen.Choose(0, choice.Leaves.Count - 1)
            from how in Gen.Choose(0, 4)
            select (choice, wrong, how),
            given =>
            {
                var (choice, wrong, how) = given;
                var chain = new InclusionChain(choice.Size, Root(choice.Size));
                long? previous = null;
                for (var i = 0; i < wrong; i++)
                {
                    var leaf = choice.Leaves[i];
                    var proof = MerkleTree.ProveInclusionBehind(previous, leaf, choice.Size, NodeOfTiles(choice.Size));
                    if (!chain.TryAdd(leaf, Leaves[leaf], proof))
                        return false;
                    previous = leaf;
                }
                var at = choice.Leaves[wrong];
                var honest = MerkleTree.ProveInclusionBehind(previous, at, choice.Size, NodeOfTiles(choice.Size));
                return how switch
                {
                    0 => !chain.TryAdd(at, Leaves[(at + 1) % Most], honest),
                    1 => !chain.TryAdd(at, Leaves[at], [.. honest, Leaves[0]]),
                    2 => honest.Count == 0 || !chain.TryAdd(at, Leaves[at], [.. honest.Skip(1)]),
                    3 => honest.Count == 0 || !chain.TryAdd(at, Leaves[at], [Leaves[at], .. honest.Skip(1)]),
                    _ => previous is not { } before || !chain.TryAdd(before, Leaves[before], honest),
                };
            }
        );

    private static Gen<(int Size, IReadOnlyList<int> Leaves)> Choice() =>
        from size in Size
        from count in Gen.Choose(1, 12)
        from leaves in Gen.Choose(0, size - 1).ListOf(count)
        select (size, (IReadOnlyList<int>)[.. leaves.Distinct().Order()]);

    private static byte[] Root(int size) => MerkleTreeTests.RootByDefinition(Leaves.AsSpan(0, size));

    private static byte[] Node(MerkleNode node) =>
        MerkleTreeTests.RootByDefinition(Leaves.AsSpan((int)(node.Index << node.Level), 1 << node.Level));

    private static Dictionary<TreeTile, byte[]> TilesOf(int size)
    {
        var edge = new TreeEdge(0, new Dictionary<TreeTile, byte[]>());
        for (var leaf = 0; leaf < size; leaf++)
            edge.Add(Leaves[leaf]);
        return edge.TakeTiles().ToDictionary(t => t.Tile, t => t.Hashes);
    }

    private static Func<MerkleNode, byte[]> NodeOfTiles(int size)
    {
        var tiles = TilesOf(size);
        return node => TreeTile.Read(tiles[TreeTile.Of(node)], node);
    }

    private static void Holds<T>(Gen<T> given, Func<T, bool> law) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(150), Prop.ForAll(given.ToArbitrary(), law));
}
