using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Gateway.Wire.OpenAi;

namespace Verbatim.Tests.Unit.Gateway.Wire.OpenAi;

public sealed class RepeatedChunkTests
{
    private const string Pattern =
        """{"id":"a","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Hello"},"logprobs":null,"finish_reason":null}],"obfuscation":"x"}""";

    [Theory]
    [InlineData("""{"content":" you"}""")]
    [InlineData("""{"content":""}""")]
    [InlineData("""{"content":"a \"quoted\" \\ word\nand a line"}""")]
    [InlineData("""{"content":"\uD83D"}""")]
    [InlineData("""{"content":"} ] , :"}""")]
    [InlineData("""{"content":"a","content":"b"}""")]
    [InlineData("""{"content":null}""")]
    [InlineData("""{"content":["a"]}""")]
    [InlineData("""{"reasoning_content":" you"}""")]
    [InlineData("""{"role":"assistant","content":" you"}""")]
    [InlineData("""{"content":" you","refusal":"no"}""")]
    [InlineData("""{"content":" you"},"logprobs":{"content":[{"token":"you"}]}""")]
    [InlineData("""{"content":" you"},"finish_reason":"stop"}""")]
    [InlineData("""{"content":" you"},"index":1""")]
    [InlineData("""{"content":" you" """)]
    [InlineData("""{"content":" you\x"}""")]
    public void What_follows_a_pattern_is_taken_as_if_there_were_none(string delta)
    {
        var chunk = Pattern.Replace("""{"content":"Hello"}""", delta, StringComparison.Ordinal);
        AssertSame([Pattern, Pattern, chunk, chunk, Pattern, chunk]);
        AssertSame([chunk, chunk, Pattern, Pattern, chunk]);
    }

    [Fact]
    public void A_chunk_that_repeats_the_one_before_is_not_read_in_full()
    {
        using var growing = new MergedJson();
        Merge(growing, "\"Hello\"");
        using var repeated = new RepeatedChunk();
        Assert.False(repeated.TryTake(Utf8(Pattern)));

        repeated.Learn(Utf8(Pattern), (_, _) => growing);

        Assert.True(repeated.TryTake(Utf8(Pattern.Replace("Hello", " you\\n", StringComparison.Ordinal))));
        Assert.True(repeated.TryTake(Utf8(Pattern.Replace("\"x\"", "\"padded\"", StringComparison.Ordinal))));
        Assert.Equal("Hello you\\nHello", Encoding.UTF8.GetString(growing.Bytes));
        Assert.False(repeated.TryTake(Utf8(Pattern.Replace("\"m\"", "\"n\"", StringComparison.Ordinal))));
        // What did not fit may have changed what the pattern says again.
        Assert.False(repeated.TryTake(Utf8(Pattern)));
    }

    [Fact]
    public void Streams_without_a_pattern_are_not_looked_at_for_ever()
    {
        using var growing = new MergedJson();
        Merge(growing, "\"Hello\"");
        using var repeated = new RepeatedChunk();
        for (var i = 0; i < 8; i++)
        {
            repeated.Learn(Utf8(Pattern.Replace("\"m\"", $"\"{i}\"", StringComparison.Ordinal)), (_, _) => growing);
            Assert.False(repeated.TryTake(Utf8(Pattern)));
        }

        repeated.Learn(Utf8(Pattern), (_, _) => growing);
        Assert.False(repeated.TryTake(Utf8(Pattern)));
    }

    [Fact]
    public void Whatever_comes_the_answer_is_the_same_as_without_patterns()
    {
        var words = Gen.OneOf(
            Gen.Elements(
                "",
                " a",
                "word",
                "\\n",
                "\\\"",
                "\\\\",
                "\\u00e9",
                "\\ud83d",
                "\u00e9",
                "}",
                "]",
                "\"",
                "\\",
                "\u0001"
            ),
            Generators.JsonString.Select(static s => s[1..^1])
        );
        var delta = Gen.Frequency(
            (12, words.Select(static w => $"{{\"content\":\"{w}\"}}")),
            (3, words.Select(static w => $"{{\"role\":\"assistant\",\"content\":\"{w}\"}}")),
            (3, words.Select(static w => $"{{\"content\":\"\",\"reasoning\":\"{w}\"}}")),
            (1, words.Select(static w => $"{{\"content\":[\"{w}\"]}}")),
            (
                1,
                words.Select(static w =>
                    $"{{\"tool_calls\":[{{\"index\":0,\"id\":\"c\",\"function\":{{\"name\":\"f\",\"arguments\":\"{w}\"}}}}]}}"
                )
            ),
            (1, Gen.Elements("{}", "null", "{\"content\":null}", "{\"content\":{\"a\":1}}", "{\"content\":7}"))
        );
        var rest = Gen.Frequency(
            (12, Gen.Constant(",\"logprobs\":null,\"finish_reason\":null")),
            (2, Gen.Constant("")),
            (1, Gen.Constant(",\"finish_reason\":\"stop\"")),
            (1, Gen.Constant(",\"logprobs\":{\"content\":[1]}")),
            (1, Gen.Constant(",\"content_filter_results\":{\"hate\":false}")),
            (1, Gen.Constant(",\"message\":{\"content\":\"whole\"}"))
        );
        var choices =
            from index in Gen.Frequency((9, Gen.Constant(0)), (1, Gen.Constant(1)))
            from d in delta
            from r in rest
            from second in Gen.Frequency(
                (12, Gen.Constant("")),
                (1, Gen.Constant(",{\"index\":1,\"delta\":{\"content\":\"2\"}}"))
            )
            select $"[{{\"index\":{index},\"delta\":{d}{r}}}{second}]";
        var chunk =
            from model in Gen.Frequency((9, Gen.Constant("\"m\"")), (1, Gen.Elements("\"\"", "\"n\"", "null")))
            from c in choices
            from field in Gen.Frequency(
                (9, Gen.Constant("")),
                (1, Gen.Elements(",\"f\":1", ",\"f\":2", ",\"error\":\"\"", ",\"error\":\"x\""))
            )
            from usage in Gen.Frequency(
                (9, Gen.Constant("")),
                (2, Gen.Elements(",\"usage\":null", ",\"usage\":{\"prompt_tokens\":1}"))
            )
            from padding in Gen.Frequency(
                (3, Gen.Constant("")),
                (2, words.Select(static w => $",\"obfuscation\":\"{w}\"")),
                (1, Gen.Constant(",\"obfuscation\":7"))
            )
            from early in Gen.Frequency(
                (6, Gen.Constant("")),
                (1, words.Select(static w => $"\"obfuscation\":\"{w}\","))
            )
            from cut in Gen.Frequency((30, Gen.Constant(0)), (1, Gen.Choose(1, 20)))
            let whole = $"{{{early}\"id\":\"a\",\"model\":{model},\"choices\":{c}{field}{usage}{padding}}}"
            select whole[..^cut];
        var stream =
            from chunks in chunk.ListOf(8)
            from order in Gen.Choose(0, 7).ListOf(24)
            select order.Select(i => chunks[i]).ToArray();

        Check.One(Generators.Tests(3000), Prop.ForAll(stream.ToArbitrary(), AssertSame));
    }

    private static void AssertSame(string[] chunks)
    {
        using var quick = new ChatStreamAssembler();
        using var full = new ChatStreamAssembler(knowsRepeated: false);
        foreach (var chunk in chunks)
        {
            Assert.Equal(full.Add(Utf8(chunk)), quick.Add(Utf8(chunk)));
            Assert.Equal(full.ToArray(), quick.ToArray());
            Assert.Equal(
                (full.Chunks, full.StrayEvents, full.DataBytes),
                (quick.Chunks, quick.StrayEvents, quick.DataBytes)
            );
            Assert.Equal(
                (full.Usage, full.FinishReason, full.IsComplete),
                (quick.Usage, quick.FinishReason, quick.IsComplete)
            );
        }
    }

    private static void Merge(MergedJson text, string json)
    {
        var reader = new System.Text.Json.Utf8JsonReader(Utf8(json));
        reader.Read();
        text.Merge(ref reader, Utf8(json), MergedShape.Plain);
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
