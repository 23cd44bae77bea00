using Verbatim.Evidence;
using Verbatim.Platform.Evidence;

namespace Verbatim.Tests.Unit.Evidence;

public sealed class TreeEdgeTests
{
    // Beyond 65,536 leaves a third level of tiles begins.
    private const int Count = 66_000;

    private static readonly byte[][] Leaves = MerkleTreeTests.Leaves(Count);

    [Fact]
    public void A_tree_that_grows_in_steps_has_the_root_that_the_definition_gives()
    {
        var random = new Random(20261121);
        var tiles = new Dictionary<TreeTile, byte[]>();
        var size = 0;
        while (size < Count)
        {
            // Each step begins from what is stored, as another instance would.
            var edge = new TreeEdge(size, Pick(tiles, size));
            var to = Math.Min(Count, size + random.Next(1, size < 2000 ? 60 : 9000));
            for (; size < to; size++)
                edge.Add(Leaves[size]);
            foreach (var (tile, hashes) in edge.TakeTiles())
                tiles[tile] = hashes;

            Assert.Equal(size, edge.Size);
            Assert.Equal(MerkleTreeTests.RootByDefinition(Leaves.AsSpan(0, size)), edge.Root());
        }

        Assert.Equal([257 + 1, 2, 1], Enumerable.Range(0, 3).Select(level => tiles.Keys.Count(t => t.Level == level)));
        AssertProofs(tiles, random);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(255, 1)]
    [InlineData(256, 1)]
    [InlineData(70_000, 3)]
    public void Only_tiles_that_are_not_full_are_read_to_go_on(long size, int expected)
    {
        // 70,000 leaves: C2SP tlog-tiles' own example. Of 256, the full tile of level 0 is never looked at again.
        var tiles = TreeEdge.TilesOf(size).ToList();

        Assert.Equal(expected, tiles.Count);
        if (size == 70_000)
            Assert.Equal([new TreeTile(0, 273), new TreeTile(1, 1), new TreeTile(2, 0)], tiles);
    }

    [Fact]
    public void A_tile_that_is_missing_or_cut_is_told()
    {
        var tiles = new Dictionary<TreeTile, byte[]>();

        Assert.Throws<InvalidDataException>(() => new TreeEdge(3, tiles));

        tiles[new TreeTile(0, 0)] = new byte[2 * MerkleTree.HashSize];
        Assert.Throws<InvalidDataException>(() => new TreeEdge(3, tiles));
    }

    // Proofs out of tiles, also for trees that were smaller than what the tiles hold now.
    private static void AssertProofs(Dictionary<TreeTile, byte[]> tiles, Random random)
    {
        byte[] Node(MerkleNode node) => TreeTile.Read(tiles[TreeTile.Of(node)], node);
        for (var i = 0; i < 200; i++)
        {
            var size = random.Next(2, Count + 1);
            var root = MerkleTree.Root(0, size, Node);
            var leaf = random.Next(size);
            var smaller = random.Next(1, size);

            Assert.True(
                MerkleTree.VerifyInclusion(leaf, size, Leaves[leaf], MerkleTree.ProveInclusion(leaf, size, Node), root)
            );
            Assert.True(
                MerkleTree.VerifyConsistency(
                    smaller,
                    size,
                    MerkleTree.Root(0, smaller, Node),
                    root,
                    MerkleTree.ProveConsistency(smaller, size, Node)
                )
            );
        }
    }

    private static Dictionary<TreeTile, byte[]> Pick(Dictionary<TreeTile, byte[]> tiles, long size) =>
        TreeEdge.TilesOf(size).ToDictionary(t => t, t => tiles[t]);
}
