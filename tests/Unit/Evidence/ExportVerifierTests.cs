using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Verbatim.Evidence;

namespace Verbatim.Tests.Unit.Evidence;

public sealed class ExportVerifierTests : IDisposable
{
    private const int Count = 40;
    private const int CheckpointEvery = 10;
    private const string Origin = "example.com/log";

    private readonly ECDsa _private = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly NoteKey _key;

    public ExportVerifierTests() => _key = NoteKey.Create(Origin, _private.ExportSubjectPublicKeyInfo());

    public void Dispose() => _private.Dispose();

    [Fact]
    public async Task An_export_is_proven_from_the_first_event_to_the_last()
    {
        var report = await VerifyAsync(Export().Bytes);

        Assert.Null(report.Problem);
        Assert.Equal(
            (1, Count, Count, Count / CheckpointEvery),
            (report.First, report.Last, report.Proven, report.Checkpoints)
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(32)]
    [InlineData(39)]
    public async Task An_export_that_begins_later_is_proven_too(int after)
    {
        var report = await VerifyAsync(Export(after).Bytes);

        Assert.Null(report.Problem);
        Assert.Equal((after + 1, Count), (report.First, report.Last));
    }

    [Fact]
    public async Task Each_of_10000_random_changes_is_found()
    {
        var (original, notes) = Export();
        var lines = Encoding.UTF8.GetString(original).Split('\n')[..^1];
        var random = new Random(6962);
        var unnoticed = new List<string>();
        for (var i = 0; i < 10_000; i++)
        {
            var (what, changed) = Change(original, lines, random);
            if (changed.AsSpan().SequenceEqual(original))
                continue;
            var report = await VerifyAsync(changed, notes[^1]);
            if (report.IsProven)
                unnoticed.Add($"{i}: {what}");
        }
        Assert.Empty(unnoticed);
    }

    [Fact]
    public async Task What_was_changed_is_named()
    {
        var lines = Encoding.UTF8.GetString(Export().Bytes).Split('\n')[..^1].ToList();
        var eighth = lines.FindIndex(l => l.StartsWith("{\"position\":8,", StringComparison.Ordinal));

        var edited = lines.ToList();
        edited[eighth] = edited[eighth].Replace("event 8", "event X", StringComparison.Ordinal);
        var report = await VerifyAsync(Join(edited));
        Assert.Equal((eighth + 1, 8, 0), (report.Line, report.Position, report.Proven));
        Assert.Contains("does not have its leaf hash", report.Problem, StringComparison.Ordinal);

        var removed = lines.ToList();
        removed.RemoveAt(eighth);
        report = await VerifyAsync(Join(removed));
        Assert.Equal(8, report.Position);
        Assert.Contains("Position 8 should follow, and 9 does", report.Problem, StringComparison.Ordinal);

        report = await VerifyAsync(Join(lines[..^1]));
        Assert.Contains("cut off", report.Problem, StringComparison.Ordinal);

        report = await VerifyAsync(Join(lines)[..^20]);
        Assert.Contains("cut in half", report.Problem, StringComparison.Ordinal);

        report = await VerifyAsync(Join([.. lines, lines[^1]]));
        Assert.Contains("Something follows", report.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_with_a_leaf_hash_made_to_fit_is_found_at_the_next_checkpoint()
    {
        var report = await VerifyAsync(Export(forged: 8).Bytes);

        Assert.Equal((11, 0), (report.Position, report.Proven));
        Assert.Contains("between the positions 1 and 10", report.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tail_that_was_cut_off_with_its_checkpoint_is_found_by_one_that_was_kept()
    {
        var (bytes, notes) = Export();
        var lines = Encoding.UTF8.GetString(bytes).Split('\n')[..^1].ToList();
        // Up to the second checkpoint, and an end that fits: by itself this is a sound export of a smaller log.
        var cut = Join([
            .. lines[..(lines.FindIndex(l => l.StartsWith("{\"position\":21,", StringComparison.Ordinal)))],
            """{"end":20,"checkpoints":2}""",
        ]);

        Assert.Null((await VerifyAsync(cut)).Problem);
        Assert.Null((await VerifyAsync(cut, notes[0])).Problem);
        var report = await VerifyAsync(cut, notes[^1]);
        Assert.Contains("The log had 40 events", report.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_log_and_another_key_are_not_believed()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var otherKey = NoteKey.Create("example.com/other", other.ExportSubjectPublicKeyInfo());
        var kept = new Checkpoint("example.com/other", 10, new byte[32]).Sign(otherKey, other).ToString();
        using var export = new MemoryStream(Export().Bytes);

        var unknown = await new ExportVerifier([otherKey], []).VerifyAsync(
            export,
            TestContext.Current.CancellationToken
        );
        export.Position = 0;
        var elsewhere = await new ExportVerifier([_key, otherKey], [kept]).VerifyAsync(
            export,
            TestContext.Current.CancellationToken
        );
        export.Position = 0;
        var broken = await new ExportVerifier([_key], ["nonsense"]).VerifyAsync(
            export,
            TestContext.Current.CancellationToken
        );

        Assert.Contains("by none of the keys", unknown.Problem, StringComparison.Ordinal);
        Assert.Contains("of the log example.com/other", elsewhere.Problem, StringComparison.Ordinal);
        Assert.Contains("kept checkpoint is not valid", broken.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("nonsense\n")]
    [InlineData("[]\n")]
    [InlineData("{}\n")]
    [InlineData("{\"format\":\"verbatim-export/2\"}\n")]
    [InlineData("{\"format\":\"verbatim-export/1\",\"origin\":\"a\",\"after\":3,\"subtrees\":[]}\n{\"end\":3}\n")]
    [InlineData("{\"format\":\"verbatim-export/1\",\"origin\":\"a\",\"after\":-1,\"subtrees\":[]}\n{\"end\":-1}\n")]
    [InlineData("{\"format\":\"verbatim-export/1\",\"origin\":\"a\",\"after\":0,\"subtrees\":[7]}\n{\"end\":0}\n")]
    public async Task What_is_no_export_is_told_so(string text)
    {
        var report = await VerifyAsync(Encoding.UTF8.GetBytes(text));

        Assert.False(report.IsProven);
        Assert.NotEmpty(report.Problem!);
    }

    private async Task<ExportReport> VerifyAsync(byte[] bytes, params string[] kept)
    {
        using var stream = new MemoryStream(bytes);
        return await new ExportVerifier([_key], kept).VerifyAsync(stream, TestContext.Current.CancellationToken);
    }

    private static (string What, byte[] Changed) Change(byte[] original, string[] lines, Random random)
    {
        var bytes = (byte[])original.Clone();
        var changed = lines.ToList();
        var (one, two) = (random.Next(lines.Length), random.Next(lines.Length));
        switch (random.Next(6))
        {
            case 0:
                var at = random.Next(bytes.Length);
                bytes[at] ^= (byte)random.Next(1, 256);
                return ($"byte {at}", bytes);
            case 1:
                changed.RemoveAt(one);
                return ($"without line {one}", Join(changed));
            case 2:
                (changed[one], changed[two]) = (changed[two], changed[one]);
                return ($"lines {one} and {two} swapped", Join(changed));
            case 3:
                changed.Insert(one, lines[two]);
                return ($"line {two} again at {one}", Join(changed));
            case 4:
                // One organization's event under another's name.
                changed[one] = changed[one].Replace("\"tenantId\":\"0", "\"tenantId\":\"1", StringComparison.Ordinal);
                return ($"line {one} of another tenant", Join(changed));
            default:
                var length = random.Next(bytes.Length);
                return ($"cut at {length}", bytes[..length]);
        }
    }

    private static byte[] Join(IReadOnlyList<string> lines) =>
        Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n")));

    // What the log's own server writes; a forged event has a leaf hash that fits it, but is not the one that was signed.
    private (byte[] Bytes, List<string> Notes) Export(int after = 0, int forged = 0)
    {
        var output = new ArrayBufferWriter<byte>();
        var notes = new List<string>();
        var tree = new CompactTree();
        byte[] scratch = [];
        var leaves = new List<byte[]>();
        for (var position = 1; position <= Count; position++)
        {
            var leaf = new byte[LeafEncoding.HashSize];
            LeafEncoding.Hash(ref scratch, Header(position), Data(position), leaf);
            leaves.Add(leaf);
        }
        ExportLine.WriteBegin(
            output,
            Origin,
            after,
            [
                .. CompactTree
                    .SubtreesOf(after)
                    .Select(n =>
                        MerkleTreeTests.RootByDefinition([.. leaves.Skip((int)(n.Index << n.Level)).Take(1 << n.Level)])
                    ),
            ]
        );
        for (var position = 1; position <= Count; position++)
        {
            tree.Add(leaves[position - 1]);
            var note = new Checkpoint(Origin, position, tree.Root()).Sign(_key, _private).ToString();
            if (position <= after)
                continue;
            var data = Data(position == forged ? 999 : position);
            var hash = new byte[LeafEncoding.HashSize];
            LeafEncoding.Hash(ref scratch, Header(position), data, hash);
            ExportLine.WriteEvent(output, Header(position), data, hash);
            if (position % CheckpointEvery == 0)
            {
                ExportLine.WriteCheckpoint(output, note);
                notes.Add(note);
            }
        }
        ExportLine.WriteEnd(output, Count, notes.Count);
        return (output.WrittenSpan.ToArray(), notes);
    }

    private static LeafHeader Header(int position) =>
        new(
            position,
            new Guid(0, (short)(position % 2), 0, [0, 0, 0, 0, 0, 0, 0, 1]),
            new Guid(position / 2, 0, 0, [0, 0, 0, 0, 0, 0, 0, 2]),
            "tally",
            Version: 1 + position % 2,
            "test.counted",
            TypeVersion: 1,
            Time: 1_772_368_215_250_000 + position,
            "user:somebody",
            $"r-{position}"
        );

    // The fifth is no UTF-8, as an answer of a provider may be.
    private static byte[] Data(int position) =>
        position == 5 ? [0x22, 0xff, 0x22] : Encoding.UTF8.GetBytes($$"""{"text":"event {{position}} \"ü\"\u0000"}""");
}
