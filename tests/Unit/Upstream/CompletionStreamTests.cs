using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class CompletionStreamTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private const string Chunk =
        """{"id":"chatcmpl-ID","object":"chat.completion.chunk","created":1,"model":"gpt-fake","service_tier":"default","system_fingerprint":"fp_644f11dd4d",""";

    private readonly FakeProvider _provider = fixture.Provider;

    [Fact]
    public async Task A_stream_is_openais_to_the_byte()
    {
        using var response = await _provider.PostAsync(Stream("""{"chunks":2}"""));
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(
            "data: "
                + Chunk
                + """
                "choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"obfuscation":"v3JkrR4kfc2Yj6"}
                """
                + "\n\n"
                + "data: "
                + Chunk
                + """
                "choices":[{"index":0,"delta":{"content":"Hello"},"logprobs":null,"finish_reason":null}],"obfuscation":"v3JkrR4kf"}
                """
                + "\n\n"
                + "data: "
                + Chunk
                + """
                "choices":[{"index":0,"delta":{"content":"!"},"logprobs":null,"finish_reason":null}],"obfuscation":"v3JkrR4kfc2Yj"}
                """
                + "\n\n"
                + "data: "
                + Chunk
                + """
                "choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"obfuscation":"v3JkrR4kfc2Yj6"}
                """
                + "\n\n"
                + "data: [DONE]\n\n",
            Wire.Fixed(text)
        );
    }

    [Fact]
    public async Task With_include_usage_the_figures_come_last_and_null_before()
    {
        var events = await _provider.EventsAsync(
            Stream("""{"chunks":2}""", "\"stream_options\":{\"include_usage\":true}")
        );

        Assert.Equal(6, events.Length);
        Assert.All(events[..4], static e => Assert.Contains("\"finish_reason\":", e, StringComparison.Ordinal));
        Assert.All(
            events[..4],
            static e => Assert.Contains("}],\"usage\":null,\"obfuscation\":\"", e, StringComparison.Ordinal)
        );
        Assert.Equal(
            Chunk
                + """
                "choices":[],"usage":{"prompt_tokens":19,"completion_tokens":2,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"obfuscation":"v3JkrR4kfc"}
                """,
            Wire.Fixed(events[4])
        );
        Assert.Equal("[DONE]", events[5]);
    }

    [Fact]
    public async Task Every_event_has_the_same_id_and_time_and_the_next_answer_others()
    {
        var events = await _provider.EventsAsync(Stream("""{"chunks":20}"""));
        var others = await _provider.EventsAsync(Stream("""{"chunks":1}"""));

        var ids = events[..^1]
            .Select(static e => JsonElement.Parse(e).GetProperty("id").GetString())
            .Distinct(StringComparer.Ordinal);
        var times = events[..^1].Select(static e => JsonElement.Parse(e).GetProperty("created").GetInt64()).Distinct();
        Assert.NotEqual(JsonElement.Parse(others[0]).GetProperty("id").GetString(), Assert.Single(ids));
        Assert.True(Assert.Single(times) > 1_700_000_000);
    }

    [Fact]
    public async Task Obfuscation_may_be_turned_off()
    {
        var events = await _provider.EventsAsync(Stream("{}", "\"stream_options\":{\"include_obfuscation\":false}"));

        Assert.All(events, static e => Assert.DoesNotContain("obfuscation", e, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"text":"one two  three","chunks":4}""", 4, "one two  three")]
    [InlineData("""{"text":"one two  three"}""", 3, "one two  three")]
    [InlineData("""{"text":"🥊🥊🥊","chunks":2}""", 2, "🥊🥊🥊")]
    [InlineData("""{"text":""}""", 0, "")]
    [InlineData("""{"chunk_text":"\n\"x\"\n","chunks":50}""", 50, null)]
    [InlineData("""{"bytes":20000}""", 5, null)]
    public async Task The_pieces_are_so_many_and_give_the_text_of_the_json_answer(
        string commands,
        int count,
        string? text
    )
    {
        var pieces = Contents(await _provider.EventsAsync(Stream(commands))).Skip(1).ToList();
        var whole = await _provider.JsonAsync(Wire.Chat($"\"x_upstream\":{commands}"));

        var expected = whole.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString();
        Assert.Equal(count, pieces.Count);
        Assert.Equal(expected, string.Concat(pieces));
        Assert.Equal(text ?? expected, expected);
    }

    [Fact]
    public async Task A_single_tool_call_begins_with_the_role()
    {
        var events = await _provider.EventsAsync(
            Stream("""{"tool_calls":[{"id":"call_1","name":"f","arguments":{"a":"bc"}}],"arguments_chunk":6}""")
        );

        Assert.Equal(
            [
                """{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}}],"refusal":null}""",
                """{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":\""}}]}""",
                """{"tool_calls":[{"index":0,"function":{"arguments":"bc\"}"}}]}""",
                "{}",
            ],
            Deltas(events)
        );
        Assert.EndsWith(
            "\"finish_reason\":\"tool_calls\"}],\"obfuscation\":\"v3JkrR4kfc2Yj6\"}",
            events[^2],
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Parallel_tool_calls_come_one_after_another_by_index()
    {
        var events = await _provider.EventsAsync(Stream(TwoCalls));

        Assert.Equal(
            [
                """{"role":"assistant","content":null,"refusal":null}""",
                """{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}}]}""",
                """{"tool_calls":[{"index":0,"function":{"arguments":"1234"}}]}""",
                """{"tool_calls":[{"index":0,"function":{"arguments":"5678"}}]}""",
                """{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"g","arguments":""}}]}""",
                """{"tool_calls":[{"index":1,"function":{"arguments":"abcd"}}]}""",
                """{"tool_calls":[{"index":1,"function":{"arguments":"e"}}]}""",
                "{}",
            ],
            Deltas(events)
        );
    }

    [Fact]
    public async Task Parallel_tool_calls_may_interleave()
    {
        var events = await _provider.EventsAsync(Stream(TwoCalls[..^1] + ",\"interleave\":true}"));

        Assert.Equal(
            [0, 1, 0, 1, 0, 1],
            Deltas(events)[1..^1]
                .Select(static d => JsonElement.Parse(d).GetProperty("tool_calls")[0].GetProperty("index").GetInt32())
        );
        Assert.Equal(
            "12345678",
            string.Concat(
                Deltas(events)[1..^1]
                    .Select(static d => JsonElement.Parse(d).GetProperty("tool_calls")[0])
                    .Where(static c => c.GetProperty("index").GetInt32() is 0)
                    .Select(static c => c.GetProperty("function").GetProperty("arguments").GetString())
            )
        );
    }

    [Fact]
    public async Task Several_choices_take_turns_after_their_beginnings()
    {
        var events = await _provider.EventsAsync(Stream("""{"chunks":3}""", "\"n\":2"));

        Assert.Equal(
            ["0 role", "0 Hello", "1 role", "1 Hello", "0 !", "1 !", "0  How", "1  How", "0 end", "1 end"],
            events[..^1]
                .Select(static e =>
                {
                    var choice = JsonElement.Parse(e).GetProperty("choices")[0];
                    var delta = choice.GetProperty("delta");
                    var what =
                        delta.TryGetProperty("role", out _) ? "role"
                        : delta.TryGetProperty("content", out var content) ? content.GetString()
                        : "end";
                    return $"{choice.GetProperty("index").GetInt32()} {what}";
                })
        );
    }

    [Fact]
    public async Task A_stream_may_end_without_its_end_mark()
    {
        var events = await _provider.EventsAsync(Stream("""{"chunks":1,"done":false}"""));

        Assert.Equal(3, events.Length);
        Assert.DoesNotContain("[DONE]", events);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(",\"done\":true", true)]
    public async Task An_error_may_come_in_the_middle(string more, bool done)
    {
        var events = await _provider.EventsAsync(Stream($$"""{"error_after":2{{more}}}"""));

        Assert.Equal(
            """{"error":{"message":"The server had an error while processing your request. Sorry about that!","type":"server_error","param":null,"code":null}}""",
            events[2]
        );
        Assert.Equal(done ? ["[DONE]"] : [], events[3..]);
    }

    [Fact]
    public async Task Garbage_may_come_in_the_middle()
    {
        var events = await _provider.EventsAsync(Stream("""{"garbage_after":1,"chunks":2}"""));

        Assert.ThrowsAny<JsonException>(() => JsonElement.Parse(events[1]));
        Assert.Equal(["", "Hello", "!"], Contents([events[0], .. events[2..]]));
    }

    [Theory]
    [InlineData("null", "null")]
    [InlineData("\"empty\"", "[]")]
    [InlineData("\"missing\"", null)]
    public async Task Events_without_choices_come_first_and_with_the_usage(string choices, string? expected)
    {
        var events = await _provider.EventsAsync(
            Stream($$"""{"chunks":2,"choices":{{choices}}}""", "\"stream_options\":{\"include_usage\":true}")
        );

        foreach (var without in new[] { events[0], events[^2] })
            Assert.Equal(
                expected,
                JsonElement.Parse(without).TryGetProperty("choices", out var found) ? found.GetRawText() : null
            );
        Assert.Equal(["", "Hello", "!"], Contents(events[1..^2]));
    }

    [Theory]
    [InlineData("none", "final", "absent absent absent absent")]
    [InlineData("null", "final", "null null null null")]
    [InlineData("zero", "final", "null null null null 0")]
    [InlineData("minimal", "finish", "null null null 21")]
    [InlineData("minimal", "every", "19 20 21 21 21")]
    public async Task Usage_may_be_elsewhere(string usage, string place, string expected)
    {
        var events = await _provider.EventsAsync(
            Stream(
                $$"""{"chunks":2,"usage":"{{usage}}","usage_in":"{{place}}"}""",
                "\"stream_options\":{\"include_usage\":true}"
            )
        );

        Assert.Equal(expected, string.Join(' ', events[..^1].Select(Total)));
    }

    [Fact]
    public async Task Usage_on_the_finish_comes_unasked()
    {
        var events = await _provider.EventsAsync(Stream("""{"chunks":2,"usage_in":"finish"}"""));

        Assert.Equal("absent absent absent 21", string.Join(' ', events[..^1].Select(Total)));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"line_ending":"crlf"}""")]
    [InlineData("""{"line_ending":"cr"}""")]
    [InlineData("""{"bom":true}""")]
    [InlineData("""{"space":false}""")]
    [InlineData("""{"comment":"OPENROUTER PROCESSING"}""")]
    [InlineData("""{"multiline":true}""")]
    [InlineData(
        """{"bom":true,"line_ending":"crlf","space":false,"comment":"ping","multiline":true,"split_every":1}"""
    )]
    public async Task Every_variant_of_the_format_reads_as_the_same_events(string commands)
    {
        using var response = await _provider.PostAsync(Stream(commands));
        await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);

        var data = new List<string>();
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(TestContext.Current.CancellationToken))
            data.Add(item.Data);

        Assert.Equal("[DONE]", data[^1]);
        Assert.Equal("Hello! How can I assist you today?", string.Concat(Contents(data)));
    }

    [Theory]
    [InlineData("""{"line_ending":"crlf"}""", "data: [DONE]\r\n\r\n")]
    [InlineData("""{"line_ending":"cr"}""", "data: [DONE]\r\r")]
    [InlineData("""{"space":false}""", "data:[DONE]\n\n")]
    [InlineData("""{"comment":"ping"}""", ": ping\n\ndata: [DONE]\n\n")]
    public async Task Variants_of_the_format_are_on_the_wire(string commands, string end)
    {
        var text = await _provider.TextAsync(Stream(commands));

        Assert.EndsWith(end, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_multiline_event_and_a_byte_order_mark_are_on_the_wire()
    {
        using var response = await _provider.PostAsync(Stream("""{"multiline":true,"bom":true}"""));
        var bytes = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);

        Assert.Equal<byte>([0xEF, 0xBB, 0xBF], bytes[..3]);
        Assert.StartsWith(
            "data: {\"id\":\"chatcmpl-ID\",\ndata: \"object\":\"chat.completion.chunk\",",
            Wire.Fixed(Encoding.UTF8.GetString(bytes.AsSpan(3))),
            StringComparison.Ordinal
        );
    }

    private const string TwoCalls =
        """{"tool_calls":[{"id":"call_1","name":"f","arguments":"12345678"},{"id":"call_2","name":"g","arguments":"abcde"}],"arguments_chunk":4}""";

    private static string Stream(string commands, string? more = null) =>
        Wire.Chat($"\"stream\":true,\"x_upstream\":{commands}{(more is null ? "" : "," + more)}");

    private static IEnumerable<string> Contents(IEnumerable<string> events) =>
        events
            .Where(static e => e.StartsWith('{') && e.EndsWith('}'))
            .Select(static e => JsonElement.Parse(e).GetProperty("choices")[0].GetProperty("delta"))
            .Where(static delta => delta.TryGetProperty("content", out _))
            .Select(static delta => delta.GetProperty("content").GetString()!);

    private static string[] Deltas(string[] events) =>
        [
            .. events[..^1]
                .Select(static e => JsonElement.Parse(e).GetProperty("choices")[0].GetProperty("delta").GetRawText()),
        ];

    private static string Total(string chunk) =>
        !JsonElement.Parse(chunk).TryGetProperty("usage", out var usage) ? "absent"
        : usage.ValueKind is JsonValueKind.Null ? "null"
        : usage.GetProperty("total_tokens").GetRawText();
}
