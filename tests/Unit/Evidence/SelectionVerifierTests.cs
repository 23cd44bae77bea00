using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Verbatim.Evidence;

namespace Verbatim.Tests.Unit.Evidence;

public sealed class SelectionVerifierTests : IDisposable
{
    private const int Count = 300;
    private const string Origin = "example.com/log";

    private readonly ECDsa _private = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly NoteKey _key;
    private readonly byte[][] _leaves = [.. Enumerable.Range(1, Count).Select(p => Leaf(p, Data(p)))];
    private readonly Checkpoint _checkpoint;
    private readonly string _note;

    public SelectionVerifierTests()
    {
        _key = NoteKey.Create(Origin, _private.ExportSubjectPublicKeyInfo());
        _checkpoint = new Checkpoint(Origin, Count, MerkleTreeTests.RootByDefinition(_leaves));
        _note = _checkpoint.Sign(_key, _private).ToString();
    }

    public void Dispose() => _private.Dispose();

    [Fact]
    public async Task Every_event_of_a_selection_is_proven_and_nothing_is_said_of_others()
    {
        var report = await VerifyAsync(Selection([3, 4, 17, 256, 257, 300]));

        Assert.Null(report.Problem);
        Assert.Equal((3, 300), (report.First, report.Last));
        // 3 and 17 are second versions, 4 and 300 first ones, 256 and 257 are both of one stream.
        Assert.Equal(
            new SelectionReport(Count, Events: 6, IsWithoutGap: false, Streams: 5, WholeStreams: 3),
            report.Selection
        );
    }

    [Fact]
    public async Task Positions_without_a_gap_and_streams_without_a_gap_are_told()
    {
        var run = await VerifyAsync(Selection([.. Enumerable.Range(5, 20)]));
        var streams = await VerifyAsync(Selection([6, 7, 10, 11, 13]));
        var limited = await VerifyAsync(Selection([6, 7], hasMore: true));
        var empty = await VerifyAsync(Selection([]));

        Assert.Equal((20, true), (run.Selection!.Events, run.Selection.IsWithoutGap));
        // 6 and 7 are versions 1 and 2 of one stream, 10 and 11 of another; 13 is the second version of a third.
        Assert.Equal(
            (false, 3, 2),
            (streams.Selection!.IsWithoutGap, streams.Selection.Streams, streams.Selection.WholeStreams)
        );
        Assert.True(limited.IsProven);
        Assert.Equal((true, 0, false), (empty.IsProven, empty.Selection!.Events, empty.Selection.IsWithoutGap));
    }

    [Fact]
    public async Task Proofs_are_shorter_where_the_event_before_gives_a_part()
    {
        var lines = Encoding.UTF8.GetString(Selection([.. Enumerable.Range(1, Count)])).Split('\n');
        var hashes = lines
            .Where(l => l.Contains("\"proof\"", StringComparison.Ordinal))
            .Sum(l => Convert.FromBase64String(l.Split('"')[^2]).Length / MerkleTree.HashSize);

        // Next to each other they need one hash on average instead of nine.
        Assert.InRange(hashes, 1, Count + 10);
        Assert.True((await VerifyAsync(Selection([.. Enumerable.Range(1, Count)]))).IsProven);
    }

    [Fact]
    public async Task Each_of_3000_random_changes_is_found()
    {
        var original = Selection([2, 3, 8, 9, 10, 64, 65, 200, 256, 257, 299]);
        var lines = Encoding.UTF8.GetString(original).Split('\n')[..^1];
        var random = new Random(9162);
        var unnoticed = new List<string>();
        for (var i = 0; i < 3_000; i++)
        {
            var (what, changed) = Change(original, lines, random);
            if (changed.AsSpan().SequenceEqual(original))
                continue;
            if ((await VerifyAsync(changed)).IsProven)
                unnoticed.Add($"{i}: {what}");
        }
        Assert.Empty(unnoticed);
    }

    [Fact]
    public async Task What_is_wrong_is_named()
    {
        var lines = Encoding.UTF8.GetString(Selection([3, 9, 20])).Split('\n')[..^1].ToList();

        var edited = lines.ToList();
        edited[2] = edited[2].Replace("event 9", "event X", StringComparison.Ordinal);
        var report = await VerifyAsync(Join(edited));
        Assert.Equal((3, 3, 1), (report.Line, report.Last, report.Selection!.Events));
        Assert.Contains("position 9 does not have its leaf hash", report.Problem, StringComparison.Ordinal);

        // A forged event with a leaf hash that fits it has no proof.
        report = await VerifyAsync(Selection([3, 9, 20], forged: 9));
        Assert.Contains("position 9 is not the one that was signed", report.Problem, StringComparison.Ordinal);

        report = await VerifyAsync(Join([.. lines[..^1]]));
        Assert.Contains("cut off", report.Problem, StringComparison.Ordinal);

        report = await VerifyAsync(Join([lines[0], lines[2], lines[1], lines[3], lines[4]]));
        Assert.False(report.IsProven);

        report = await VerifyAsync(Join([.. lines[..^1], """{"end":300,"events":2,"hasMore":false}"""]));
        Assert.Contains("has 3", report.Problem, StringComparison.Ordinal);

        report = await VerifyAsync(Join([.. lines[..^1], """{"end":299,"events":3,"hasMore":false}"""]));
        Assert.Contains("ends at 300", report.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kept_checkpoint_of_the_same_size_must_be_the_same()
    {
        var other = new Checkpoint(Origin, Count, SHA256.HashData([1])).Sign(_key, _private).ToString();
        var earlier = new Checkpoint(Origin, 10, SHA256.HashData([1])).Sign(_key, _private).ToString();

        Assert.True((await VerifyAsync(Selection([3]), _note)).IsProven);
        Assert.True((await VerifyAsync(Selection([3]), earlier)).IsProven);
        var report = await VerifyAsync(Selection([3]), other);
        Assert.Contains("contradict", report.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Kept_notes_may_stand_one_behind_the_other()
    {
        var second = new Checkpoint(Origin, 10, SHA256.HashData([1])).Sign(_key, _private).ToString();

        Assert.Equal([_note, second], KeptNotes.Split(_note + second));
        Assert.Equal([_note, second], KeptNotes.Split($"\n{_note}\n\n{second}\n"));
        Assert.Equal([_note], KeptNotes.Split(_note));
        Assert.Empty(KeptNotes.Split("\n\n"));
        // What is cut in half does not pass for a note, and does not vanish either.
        Assert.Equal([_note, "example.com/log\n4"], KeptNotes.Split(_note + "example.com/log\n4"));
        Assert.NotNull(KeptNotes.Open([_note, "example.com/log\n4"], [_key], new Dictionary<long, Checkpoint>()));
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
                changed[one] = changed[one].Replace("\"tenantId\":\"0", "\"tenantId\":\"1", StringComparison.Ordinal);
                return ($"line {one} of another tenant", Join(changed));
            default:
                var length = random.Next(bytes.Length);
                return ($"cut at {length}", bytes[..length]);
        }
    }

    private static byte[] Join(IReadOnlyList<string> lines) =>
        Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n")));

    private byte[] Selection(int[] positions, bool hasMore = false, int forged = 0)
    {
        var output = new ArrayBufferWriter<byte>();
        SelectionLine.WriteBegin(output, _note);
        long? previous = null;
        foreach (var position in positions)
        {
            var proof = MerkleTree.ProveInclusionBehind(previous, position - 1, Count, Node);
            var data = Data(position == forged ? 999 : position);
            SelectionLine.WriteEvent(output, Header(position), data, Leaf(position, data), proof);
            previous = position - 1;
        }
        SelectionLine.WriteEnd(output, hasMore ? positions[^1] : Count, positions.Length, hasMore);
        return output.WrittenSpan.ToArray();
    }

    private byte[] Node(MerkleNode node) =>
        MerkleTreeTests.RootByDefinition(_leaves.AsSpan((int)(node.Index << node.Level), 1 << node.Level));

    private static byte[] Leaf(int position, byte[] data)
    {
        byte[] scratch = [];
        var hash = new byte[LeafEncoding.HashSize];
        LeafEncoding.Hash(ref scratch, Header(position), data, hash);
        return hash;
    }

    // Two events a stream: an even position is its first, the odd one behind it the second.
    private static LeafHeader Header(int position) =>
        new(
            position,
            new Guid(0, 1, 0, [0, 0, 0, 0, 0, 0, 0, 1]),
            new Guid(position / 2, 0, 0, [0, 0, 0, 0, 0, 0, 0, 2]),
            "tally",
            Version: 1 + position % 2,
            "test.counted",
            TypeVersion: 1,
            Time: 1_772_368_215_250_000 + position,
            "user:somebody",
            "request"
        );

    private static byte[] Data(int position) =>
        Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $$"""{"text":"event {{position}} ünïcödé"}""")
        );
}
