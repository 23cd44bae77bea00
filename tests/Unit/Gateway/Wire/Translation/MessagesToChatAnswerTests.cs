using System.Text;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

/// <summary>A caller of chat completions whose model answers on Anthropic's wire.</summary>
public sealed class MessagesToChatAnswerTests
{
    /// <summary>As in Claude's documentation, "Streaming Messages": thinking, text and two tools, with pings and events of the future between.</summary>
    internal const string Stream = """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":85,"output_tokens":1}}}

        event: ping
        data: {"type":"ping"}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me "}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"see."}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQB+/="}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":0}

        event: content_block_start
        data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

        event: ping
        data: {"type":"ping"}

        event: content_block_delta
        data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Wait \"a\" "}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"bit\n\u00e9😀"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":1}

        event: content_block_start
        data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"weather","input":{}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"city\": \"B"}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"ern\"}"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":2}

        event: content_block_start
        data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_2","name":"now","input":{}}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":3}

        event: weather_report
        data: {"type":"weather_report","index":4,"delta":{"text":"lost"}}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":89}}

        event: message_stop
        data: {"type":"message_stop"}


        """;

    private const string Whole = """
        {"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[
          {"type":"thinking","thinking":"Let me see.","signature":"EqQB+/="},
          {"type":"text","text":"Wait \"a\" bit\n\u00e9😀"},
          {"type":"tool_use","id":"toolu_1","name":"weather","input":{"city": "Bern"}},
          {"type":"tool_use","id":"toolu_2","name":"now","input":{}}],
         "stop_reason":"tool_use","stop_sequence":null,
         "usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":85,"output_tokens":89}}
        """;

    private const string Expected = """
        {"id":"chatcmpl-0193a5b000007000800000000000beef","object":"chat.completion","created":1790000000,"model":"claude-sonnet-4-5-20250929",
         "choices":[{"index":0,"message":{"role":"assistant","content":"Wait \"a\" bit\né😀","refusal":null,"reasoning_content":"Let me see.",
           "reasoning_details":[{"type":"reasoning.text","text":"Let me see.","signature":"EqQB+/=","format":"anthropic-claude-v1","index":0}],
           "tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Bern\"}"}},
                         {"id":"toolu_2","type":"function","function":{"name":"now","arguments":"{}"}}]},
           "logprobs":null,"finish_reason":"tool_calls"}],
         "usage":{"prompt_tokens":100,"completion_tokens":89,"total_tokens":189,"prompt_tokens_details":{"cached_tokens":85,"cache_write_tokens":5},
                  "completion_tokens_details":{"reasoning_tokens":0}}}
        """;

    [Fact]
    public void A_whole_answer_keeps_everything_in_order() =>
        Translated.Same(Expected, Translated.Answer(Open(), Whole));

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public void A_stream_gives_the_same_answer_however_it_is_cut(int cut)
    {
        var relayed = Translated.Stream(Open().OpenStream(), Stream, cut);

        Translated.Same(Expected, relayed.Whole);
        Assert.True(relayed is { IsComplete: true, IsDone: true, HasError: false });
        Assert.Equal(new TokenUsage(100, 89, null, 85, null, 5), relayed.Usage);
    }

    [Fact]
    public void The_chunks_are_as_openai_sends_them()
    {
        var relayed = Translated.Stream(
            Open("""{"model":"fast","messages":[],"stream":true,"stream_options":{"include_usage":true}}""")
                .OpenStream(),
            Stream
        );

        var chunks = Translated.DataOf(relayed.Events);
        Assert.EndsWith("data: [DONE]\n\n", relayed.Events, StringComparison.Ordinal);
        Assert.Single(chunks.Select(c => c["id"]!.ToString()).Distinct(StringComparer.Ordinal));
        Assert.Single(chunks.Select(c => (long)c["created"]!).Distinct());
        Assert.All(chunks, c => Assert.Equal("chat.completion.chunk", (string?)c["object"]));
        Assert.All(chunks, c => Assert.Equal("claude-sonnet-4-5-20250929", (string?)c["model"]));
        Assert.Equal(
            """
            {"role":"assistant","content":"","refusal":null}
            {"reasoning_content":"Let me ","reasoning_details":[{"type":"reasoning.text","text":"Let me ","format":"anthropic-claude-v1","index":0}]}
            {"reasoning_content":"see.","reasoning_details":[{"type":"reasoning.text","text":"see.","format":"anthropic-claude-v1","index":0}]}
            {"reasoning_details":[{"type":"reasoning.text","signature":"EqQB+/=","format":"anthropic-claude-v1","index":0}]}
            {"content":"Wait \"a\" "}
            {"content":"bit\n\u00e9😀"}
            {"tool_calls":[{"index":0,"id":"toolu_1","type":"function","function":{"name":"weather","arguments":""}}]}
            {"tool_calls":[{"index":0,"function":{"arguments":"{\"city\": \"B"}}]}
            {"tool_calls":[{"index":0,"function":{"arguments":"ern\"}"}}]}
            {"tool_calls":[{"index":1,"id":"toolu_2","type":"function","function":{"name":"now","arguments":""}}]}
            {"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}
            {}
            """,
            string.Join('\n', DeltasOf(relayed.Events))
        );
        Assert.Equal(
            [.. Enumerable.Repeat<string?>(null, chunks.Length - 2), "tool_calls"],
            chunks[..^1].Select(c => (string?)c["choices"]![0]!["finish_reason"])
        );
        Assert.All(chunks[..^1], c => Assert.True(c.AsObject().ContainsKey("usage") && c["usage"] is null));
        Assert.Empty(chunks[^1]["choices"]!.AsArray());
        Assert.Equal(189, (int)chunks[^1]["usage"]!["total_tokens"]!);
    }

    [Fact]
    public void The_usage_is_no_chunk_of_its_own_where_nobody_asked()
    {
        var relayed = Translated.Stream(Open().OpenStream(), Stream);

        Assert.DoesNotContain("usage", relayed.Events, StringComparison.Ordinal);
        Assert.Equal(100, relayed.Usage?.Prompt);
    }

    [Theory]
    [InlineData("end_turn", "stop")]
    [InlineData("stop_sequence", "stop")]
    [InlineData("max_tokens", "length")]
    [InlineData("tool_use", "tool_calls")]
    [InlineData("refusal", "content_filter")]
    [InlineData("pause_turn", "stop")]
    [InlineData("model_context_window_exceeded", "length")]
    [InlineData("something_new", "stop")]
    public void Stop_reasons_are_mapped(string reason, string expected) =>
        Assert.Equal(
            $"\"{expected}\"",
            Translated.Member(
                Translated.Answer(
                    Open(),
                    $$"""{"type":"message","content":[{"type":"text","text":"a"}],"stop_reason":"{{reason}}","usage":{"input_tokens":1,"output_tokens":0} }"""
                ),
                "choices.0.finish_reason"
            )
        );

    [Fact]
    public void An_error_in_the_stream_is_an_error_of_openais()
    {
        var relayed = Translated.Stream(
            Open().OpenStream(),
            Stream[..Stream.IndexOf("event: content_block_stop", StringComparison.Ordinal)]
                + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
        );

        Assert.EndsWith(
            """data: {"error":{"message":"Overloaded","type":"server_error","param":null,"code":"overloaded"}}"""
                + "\n\n",
            relayed.Events,
            StringComparison.Ordinal
        );
        Assert.True(relayed is { HasError: true, IsComplete: false });
        Assert.DoesNotContain("[DONE]", relayed.Events, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stream_that_breaks_off_is_not_finished()
    {
        var relayed = Translated.Stream(
            Open().OpenStream(),
            Stream[..Stream.IndexOf("event: message_delta", StringComparison.Ordinal)]
        );

        Assert.False(relayed.IsComplete);
        Assert.DoesNotContain("\"finish_reason\":\"", relayed.Events, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", relayed.Events, StringComparison.Ordinal);
        Assert.Equal(
            "null",
            Translated
                .Member(relayed.Whole, "choices.0.finish_reason")
                .Replace("absent", "null", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_stream_without_its_end_mark_still_ends_for_the_caller()
    {
        var relayed = Translated.Stream(
            Open().OpenStream(),
            Stream[..Stream.IndexOf("event: message_stop", StringComparison.Ordinal)]
        );

        Assert.True(relayed is { IsComplete: true, IsDone: false });
        Assert.EndsWith("data: [DONE]\n\n", relayed.Events, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        529,
        """{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}""",
        503,
        "server_error",
        "overloaded",
        "Overloaded"
    )]
    [InlineData(
        429,
        """{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"},"request_id":"r"}""",
        429,
        "requests",
        null,
        "Slow down"
    )]
    [InlineData(
        400,
        """{"type":"error","error":{"type":"invalid_request_error","message":"bad"}}""",
        400,
        "invalid_request_error",
        null,
        "bad"
    )]
    [InlineData(500, "<html>", 500, "server_error", null, "The provider answered with the status 500.")]
    [InlineData(500, "", 500, "server_error", null, "The provider answered with the status 500.")]
    [InlineData(502, "{\"error\":null}", 502, "server_error", null, "The provider answered with the status 502.")]
    public void Errors_keep_their_sense(
        int status,
        string body,
        int expected,
        string type,
        string? code,
        string message
    )
    {
        var error = Open().TranslateError(status, Encoding.UTF8.GetBytes(body));

        Assert.Equal((expected, type, code, message), (error.Status, error.Type, error.Code, error.Message));
        Assert.Null(error.Param);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"content\":1}")]
    [InlineData("{\"type\":\"error\",\"error\":{\"type\":\"api_error\"},\"content\":[]}")]
    public void What_is_no_message_is_not_translated(string body) =>
        Assert.False(Open().TryTranslateAnswer(Encoding.UTF8.GetBytes(body), out _, out _));

    private static IEnumerable<string> DeltasOf(string events)
    {
        foreach (var line in events.Split('\n').Where(l => l.Contains("\"delta\":", StringComparison.Ordinal)))
        {
            var start = line.IndexOf("\"delta\":", StringComparison.Ordinal) + 8;
            yield return line[start..line.LastIndexOf(",\"logprobs\"", StringComparison.Ordinal)];
        }
    }

    private static TranslatedCall Open(
        string body = """{"model":"fast","messages":[{"role":"user","content":"a"}]}"""
    ) => Translated.Open(Operation.ChatCompletions, Operation.Messages, body);
}
