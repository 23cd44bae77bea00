using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Wire;

public sealed class SseReaderTests
{
    [Theory]
    [InlineData("data: a\n\ndata: b\n\n", "a|b")]
    [InlineData("data: a\r\n\r\ndata: b\r\n\r\n", "a|b")]
    [InlineData("data: a\r\rdata: b\r\r", "a|b")]
    [InlineData("data: a\r\n\ndata: b\n\r\ndata: c\n\n", "a|b|c")]
    [InlineData("data:a\n\n", "a")]
    [InlineData("data:  a \n\n", " a ")]
    [InlineData("data\n\n", "")]
    [InlineData("data:\n\n", "")]
    [InlineData("data: a\ndata: b\n\n", "a\nb")]
    [InlineData("data\ndata\n\n", "\n")]
    [InlineData("data: a\ndata:\ndata: c\n\n", "a\n\nc")]
    [InlineData("event: x\ndata: a\nid: 1\nretry: 5\n\n", "a")]
    [InlineData(": comment\ndata: a\n\n", "a")]
    [InlineData("database: no\ndata: a\n\n", "a")]
    [InlineData(" data: no\nDATA: no\ndata: a\n\n", "a")]
    [InlineData("\uFEFFdata: a\n\n\uFEFFdata: no\n\n", "a|-")]
    public void The_data_of_events_is_found(string stream, string expected) =>
        Assert.Equal(expected, string.Join('|', Events(stream).Select(e => e.HasData ? e.Data : "-")));

    [Theory]
    [InlineData(": ping\n\n", ": ping\n\n")]
    [InlineData("\n\n", "\n|\n")]
    [InlineData("event: ping\n\n", "event: ping\n\n")]
    [InlineData(": OPENROUTER PROCESSING\n\ndata: a\n\n", ": OPENROUTER PROCESSING\n\n|data: a\n\n")]
    public void What_is_no_event_is_passed_on_too(string stream, string expected) =>
        Assert.Equal(expected, string.Join('|', Events(stream).Select(e => e.Raw)));

    [Fact]
    public void The_name_of_an_event_is_found()
    {
        var events = Events("event: error\ndata: {}\n\ndata: {}\n\nevent: a\nevent:b\ndata: {}\n\n");

        Assert.Equal(["error", "", "b"], events.Select(e => e.Name), StringComparer.Ordinal);
    }

    [Fact]
    public void The_remainder_is_given_at_the_end_as_an_event_of_its_own()
    {
        var stream = Generators.Utf8("data: a\n\nevent: x\ndata: [DONE]\n");
        using var reader = new SseReader();
        reader.Feed(stream);

        Assert.True(reader.TryRead(out var first));
        Assert.Equal("a", Text(first.Data));
        Assert.False(reader.TryRead(out _));
        Assert.True(reader.TryReadRemainder(out var rest));
        Assert.Equal(("event: x\ndata: [DONE]\n", "x", "[DONE]"), (Text(rest.Raw), Text(rest.Name), Text(rest.Data)));
        Assert.False(reader.TryReadRemainder(out _));
    }

    [Fact]
    public void There_is_no_remainder_behind_a_blank_line()
    {
        using var reader = new SseReader();
        reader.Feed("data: a\r\n\r\n"u8.ToArray());

        Assert.True(reader.TryRead(out _));
        Assert.False(reader.TryRead(out _));
        Assert.False(reader.TryReadRemainder(out _));
    }

    [Fact]
    public void An_event_is_given_as_soon_as_its_last_byte_is_there()
    {
        foreach (var stream in (string[])["data: a\n\n", "data: a\r\r", "data: a\r\n\r\n", "data: a\n\r"])
        {
            using var reader = new SseReader();
            var bytes = Generators.Utf8(stream);
            for (var i = 0; i < bytes.Length; i++)
            {
                reader.Feed(bytes.AsMemory(i, 1));
                Assert.Equal(i == bytes.Length - 1, reader.TryRead(out _));
                Assert.False(reader.TryRead(out _));
            }
        }
    }

    [Fact]
    public void An_event_that_lies_in_one_chunk_is_not_copied()
    {
        byte[] chunk = [.. "data: a\n\ndata: b\n\n"u8];
        using var reader = new SseReader();
        reader.Feed(chunk);
        Assert.True(reader.TryRead(out _));
        Assert.True(reader.TryRead(out var second));

        Assert.True(second.Raw.Span.Overlaps(chunk));
        Assert.True(second.Data.Span.Overlaps(chunk));
    }

    [Fact]
    public void A_chunk_may_be_reused_once_it_is_read()
    {
        var chunk = new byte[4];
        var stream = Generators.Utf8("data: one\n\ndata: two\n\n");
        var data = new List<string>();
        using var reader = new SseReader();
        for (var at = 0; at < stream.Length; at += chunk.Length)
        {
            var length = Math.Min(chunk.Length, stream.Length - at);
            stream.AsSpan(at, length).CopyTo(chunk);
            reader.Feed(chunk.AsMemory(0, length));
            while (reader.TryRead(out var sse))
                data.Add(Text(sse.Data));
            Array.Clear(chunk);
        }

        Assert.Equal(["one", "two"], data);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public void An_event_larger_than_the_limit_is_an_error_however_it_comes(int chunkLength)
    {
        // 6 + 92 + 2 bytes are allowed, one more is not.
        Assert.Single(Events(Generators.Utf8("data: " + new string('x', 92) + "\n\n"), [chunkLength], 100).Events);
        Assert.Throws<SseEventTooLargeException>(() =>
            Events(Generators.Utf8("data: " + new string('x', 93) + "\n\n"), [chunkLength], 100)
        );
        // A line that never ends.
        Assert.Throws<SseEventTooLargeException>(() =>
            Events(Generators.Utf8(new string('x', 101)), [chunkLength], 100)
        );
    }

    [Fact]
    public void Many_small_events_may_be_larger_than_the_limit_together() =>
        Assert.Equal(
            1000,
            Events(Generators.Utf8(string.Concat(Enumerable.Repeat("data: x\n\n", 1000))), [9000], 100).Events.Count
        );

    [Fact]
    public void A_chunk_that_has_not_been_read_to_its_end_is_not_forgotten_silently()
    {
        using var reader = new SseReader();
        reader.Feed("data: a\n\ndata: b\n\n"u8.ToArray());
        reader.TryRead(out _);

        Assert.Throws<InvalidOperationException>(() => reader.Feed("x"u8.ToArray()));
    }

    [Fact]
    public void Any_cut_gives_the_same_events_and_all_the_bytes()
    {
        var pieces = Gen.Elements(
            "\n",
            "\r",
            "\r\n",
            "\n\n",
            "\r\n\r\n",
            "data: a",
            "data:",
            "data",
            ":",
            "event: e",
            "id: 1",
            "é",
            "x",
            "\uFEFF",
            " "
        );
        var streams = pieces.ListOf().Select(p => Generators.Utf8(string.Concat(p)));

        Check.One(
            Generators.Tests(5000),
            Prop.ForAll(
                streams.ToArbitrary(),
                Generators.Cuts.ToArbitrary(),
                (stream, cuts) =>
                {
                    var whole = Events(stream, [int.MaxValue]);
                    foreach (var lengths in (int[][])[cuts, [1], [2, 3]])
                    {
                        var cut = Events(stream, lengths);
                        Assert.Equal(whole.Events, cut.Events);
                        Assert.Equal(whole.Remainder, cut.Remainder);
                    }
                    var raw = string.Concat(whole.Events.Select(e => e.Raw)) + whole.Remainder;
                    Assert.Equal(Encoding.Latin1.GetString(stream), raw);
                    // Behind a last CR, an LF may still come: the standard's event is in the remainder.
                    if (raw.EndsWith('\r'))
                        return;
                    Assert.Equal(Reference(stream), whole.Events.Where(e => e.HasData).Select(e => (e.Name, e.Data)));
                }
            )
        );
    }

    // WHATWG HTML, section 9.2.6, word by word.
    private static List<(string Name, string Data)> Reference(byte[] stream)
    {
        var text = Encoding.Latin1.GetString(stream);
        if (text.StartsWith("\u00EF\u00BB\u00BF", StringComparison.Ordinal))
            text = text[3..];
        var lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').Split('\n');
        var events = new List<(string, string)>();
        var (name, data) = ("", "");
        // What follows the last line end is no line yet.
        foreach (var line in lines[..^1])
        {
            if (line.Length == 0)
            {
                if (data.Length > 0)
                    events.Add((name, data[..^1]));
                (name, data) = ("", "");
                continue;
            }
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var field = colon < 0 ? line : line[..colon];
            var value = colon < 0 ? "" : line[(colon + 1)..];
            if (value.StartsWith(' '))
                value = value[1..];
            if (field == "event")
                name = value;
            else if (field == "data")
                data += value + "\n";
        }
        return events;
    }

    private static List<Seen> Events(string stream) => Events(Generators.Utf8(stream), [int.MaxValue]).Events;

    private static (List<Seen> Events, string Remainder) Events(
        byte[] stream,
        int[] cuts,
        int limit = SseReader.DefaultMaxEventBytes
    )
    {
        var seen = new List<Seen>();
        using var reader = new SseReader(limit);
        foreach (var chunk in Generators.Chunks(stream, cuts))
        {
            reader.Feed(chunk);
            while (reader.TryRead(out var sse))
                seen.Add(new Seen(Text(sse.Raw), Text(sse.Name), Text(sse.Data), sse.HasData));
            Array.Clear(chunk);
        }
        return (seen, reader.TryReadRemainder(out var rest) ? Text(rest.Raw) : "");
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.Latin1.GetString(bytes.Span);

    private sealed record Seen(string Raw, string Name, string Data, bool HasData);
}
