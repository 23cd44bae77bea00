using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

/// <summary>A caller of Anthropic's messages whose model answers by chat completions.</summary>
public sealed class ChatToMessagesAnswerTests
{
    internal const string Stream = """
        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5-2025","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}

        : keep-alive

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5-2025","choices":[{"index":0,"delta":{"reasoning_content":"Let me "},"finish_reason":null}]}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5-2025","choices":[{"index":0,"delta":{"reasoning_content":"see."},"finish_reason":null}]}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5-2025","choices":[{"index":0,"delta":{"content":"Wait \"a\" "},"finish_reason":null}]}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5-2025","choices":[{"index":0,"delta":{"content":"bit\n\u00e9😀"},"finish_reason":null}]}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5-2025","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"weather","arguments":""}}]},"finish_reason":null}]}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5-2025","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\": "}}]},"finish_reason":null}]}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5-2025","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Bern\"}"}}]},"finish_reason":null}]}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5-2025","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"now","arguments":"{}"}}]},"finish_reason":null}]}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5-2025","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

        data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-5-2025","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":89,"total_tokens":189,"prompt_tokens_details":{"cached_tokens":85,"cache_write_tokens":5},"completion_tokens_details":{"reasoning_tokens":7}}}

        data: [DONE]


        """;

    private const string Whole = """
        {"id":"c1","object":"chat.completion","created":1,"model":"gpt-5-2025","choices":[{"index":0,"message":{"role":"assistant","refusal":null,"annotations":[],
          "content":"Wait \"a\" bit\n\u00e9😀","reasoning_content":"Let me see.","tool_calls":[
            {"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Bern\"}"}},
            {"id":"call_2","type":"function","function":{"name":"now","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],
         "usage":{"prompt_tokens":100,"completion_tokens":89,"total_tokens":189,"prompt_tokens_details":{"cached_tokens":85,"cache_write_tokens":5},
                  "completion_tokens_details":{"reasoning_tokens":7}}}
        """;

    private const string Expected = """
        {"id":"msg_0193a5b000007000800000000000beef","type":"message","role":"assistant","model":"gpt-5-2025","content":[
          {"type":"thinking","thinking":"Let me see.","signature":"vb1.content||"},
          {"type":"text","text":"Wait \"a\" bit\né😀"},
          {"type":"tool_use","id":"call_1","name":"weather","input":{"city":"Bern"},"caller":{"type":"direct"}},
          {"type":"tool_use","id":"call_2","name":"now","input":{},"caller":{"type":"direct"}}],
         "stop_reason":"tool_use","stop_sequence":null,
         "usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":85,"output_tokens":89,"output_tokens_details":{"thinking_tokens":7}}}
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
        Assert.Equal(new TokenUsage(100, 89, 189, 85, 7, 5), relayed.Usage);
    }

    [Fact]
    public void The_events_are_as_anthropic_sends_them()
    {
        var relayed = Translated.Stream(Open().OpenStream(), Stream);

        Assert.Equal(
            """
            event: message_start
            data: {"type":"message_start","message":{"id":"msg_0193a5b000007000800000000000beef","type":"message","role":"assistant","model":"gpt-5-2025","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":8,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}

            event: content_block_start
            data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me "}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"see."}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"vb1.content||"}}

            event: content_block_stop
            data: {"type":"content_block_stop","index":0}

            event: content_block_start
            data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Wait \"a\" "}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"bit\n\u00e9😀"}}

            event: content_block_stop
            data: {"type":"content_block_stop","index":1}

            event: content_block_start
            data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"call_1","name":"weather","input":{},"caller":{"type":"direct"}}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"city\": "}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"Bern\"}"}}

            event: content_block_stop
            data: {"type":"content_block_stop","index":2}

            event: content_block_start
            data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"call_2","name":"now","input":{},"caller":{"type":"direct"}}}

            event: content_block_delta
            data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{}"}}

            event: content_block_stop
            data: {"type":"content_block_stop","index":3}

            event: message_delta
            data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":85,"output_tokens":89,"output_tokens_details":{"thinking_tokens":7}}}

            event: message_stop
            data: {"type":"message_stop"}


            """,
            relayed.Events
        );
    }

    [Fact]
    public void A_thought_in_the_middle_of_a_calls_arguments_comes_behind_the_call()
    {
        var relayed = Translated.Stream(
            Open().OpenStream(),
            """
            data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}}]}

            data: {"choices":[{"index":0,"delta":{"reasoning_content":"Hm."}}]}

            data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]}}]}

            data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

            data: [DONE]


            """
        );
        var content = JsonNode.Parse(relayed.Whole)!["content"]!.AsArray();

        Assert.Equal(["tool_use", "thinking"], content.Select(block => block!["type"]!.GetValue<string>()));
        Assert.Equal(1, content[0]!["input"]!["a"]!.GetValue<int>());
        Assert.Equal("Hm.", content[1]!["thinking"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("stop", "end_turn")]
    [InlineData("length", "max_tokens")]
    [InlineData("tool_calls", "tool_use")]
    [InlineData("function_call", "tool_use")]
    [InlineData("content_filter", "refusal")]
    [InlineData("eos", "end_turn")]
    public void Finish_reasons_are_mapped(string reason, string expected) =>
        Assert.Equal(
            $"\"{expected}\"",
            Translated.Member(
                Translated.Answer(
                    Open(),
                    $$"""{"choices":[{"message":{"content":"a"},"finish_reason":"{{reason}}"}]}"""
                ),
                "stop_reason"
            )
        );

    [Fact]
    public void A_stop_with_calls_is_a_call_for_tools() =>
        Assert.Equal(
            "\"tool_use\"",
            Translated.Member(
                Translated.Answer(
                    Open(),
                    """{"choices":[{"message":{"content":null,"tool_calls":[{"id":"","function":{"name":"f","arguments":""}}]},"finish_reason":"stop"}]}"""
                ),
                "stop_reason"
            )
        );

    [Fact]
    public void A_call_without_an_id_or_arguments_gets_them()
    {
        var answer = Translated.Answer(
            Open(),
            """{"choices":[{"message":{"tool_calls":[{"id":"","function":{"name":"f","arguments":""}},{"function":{"name":"g","arguments":{"a":1} } }]},"finish_reason":"stop"}]}"""
        );

        Translated.Same(
            """
            [{"type":"tool_use","id":"call_0193a5b000007000800000000000beef0","name":"f","input":{},"caller":{"type":"direct"}},
             {"type":"tool_use","id":"call_0193a5b000007000800000000000beef1","name":"g","input":{"a":1},"caller":{"type":"direct"}}]
            """,
            Translated.Member(answer, "content")
        );
    }

    [Fact]
    public void Calls_whose_arguments_come_by_turns_follow_each_other()
    {
        var relayed = Translated.Stream(
            Open().OpenStream(),
            Chunk(
                """{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}},{"index":1,"id":"b","function":{"name":"g","arguments":""}}]}"""
            )
                + Chunk("""{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]}""")
                + Chunk("""{"tool_calls":[{"index":1,"function":{"arguments":"{\"y\""}}]}""")
                + Chunk("""{"content":"said between"}""")
                + Chunk("""{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}""")
                + Chunk("""{"tool_calls":[{"index":1,"function":{"arguments":":2}"}}]}""")
                + Chunk("{}", "\"tool_calls\"")
                + "data: [DONE]\n\n"
        );

        Translated.Same(
            """
            [{"type":"tool_use","id":"a","name":"f","input":{"x":1},"caller":{"type":"direct"}},{"type":"tool_use","id":"b","name":"g","input":{"y":2},"caller":{"type":"direct"}},{"type":"text","text":"said between"}]
            """,
            Translated.Member(relayed.Whole, "content")
        );
        var indexes = Translated
            .DataOf(relayed.Events)
            .Where(e => e["index"] is not null)
            .Select(e => (int)e["index"]!)
            .ToList();
        Assert.Equal(indexes.Order(), indexes);
    }

    [Fact]
    public void Calls_that_all_have_index_zero_are_told_apart_by_their_ids()
    {
        var relayed = Translated.Stream(
            Open().OpenStream(),
            Chunk("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}""")
                + Chunk("""{"tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}]}""")
                + Chunk("{}", "\"stop\"")
        );

        Assert.Equal("\"b\"", Translated.Member(relayed.Whole, "content.1.id"));
        Assert.True(relayed is { IsComplete: true, IsDone: false });
        Assert.EndsWith("{\"type\":\"message_stop\"}\n\n", relayed.Events, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        """{"error":{"message":"Too many","type":"requests","code":"rate_limit_exceeded"}}""",
        "rate_limit_error",
        "Too many"
    )]
    [InlineData("""{"error":{"message":"Busy","code":503}}""", "overloaded_error", "Busy")]
    [InlineData("""{"error":"broke"}""", "api_error", "broke")]
    public void An_error_in_the_stream_is_an_error_of_anthropics(string error, string type, string message)
    {
        var relayed = Translated.Stream(Open().OpenStream(), Chunk("""{"content":"a"}""") + $"data: {error}\n\n");

        Assert.EndsWith(
            $$$"""event: error{{{"\n"}}}data: {"type":"error","error":{"type":"{{{type}}}","message":"{{{message}}}"}}"""
                + "\n\n",
            relayed.Events,
            StringComparison.Ordinal
        );
        Assert.True(relayed is { HasError: true, IsComplete: false });
    }

    [Fact]
    public void A_stream_that_breaks_off_is_not_finished()
    {
        var relayed = Translated.Stream(Open().OpenStream(), Chunk("""{"content":"a"}"""));

        Assert.False(relayed.IsComplete);
        Assert.DoesNotContain("message_delta", relayed.Events, StringComparison.Ordinal);
        Assert.DoesNotContain("message_stop", relayed.Events, StringComparison.Ordinal);
        Assert.Equal("\"a\"", Translated.Member(relayed.Whole, "content.0.text"));
    }

    [Theory]
    [InlineData(503, """{"error":{"message":"Busy","type":"server_error","param":null,"code":null}}""", 529, "Busy")]
    [InlineData(
        400,
        """{"error":{"message":"Bad","type":"invalid_request_error","param":"x","code":"c"}}""",
        400,
        "Bad"
    )]
    [InlineData(
        429,
        """{"error":{"message":"Slow","type":"tokens","param":null,"code":"rate_limit_exceeded"}}""",
        429,
        "Slow"
    )]
    [InlineData(422, """{"detail":"Unprocessable"}""", 422, "Unprocessable")]
    [InlineData(404, """{"error":"model not found"}""", 404, "model not found")]
    public void Errors_keep_their_sense(int status, string body, int expected, string message)
    {
        var error = Open().TranslateError(status, Encoding.UTF8.GetBytes(body));

        Assert.Equal((expected, message), (error.Status, error.Message));
    }

    [Fact]
    public void Citations_of_pages_are_kept()
    {
        var answer = Translated.Answer(
            Open(),
            """{"choices":[{"message":{"content":"a","annotations":[{"type":"url_citation","url_citation":{"url":"https://a.example","title":"A","start_index":0,"end_index":1}}]},"finish_reason":"stop"}]}"""
        );

        Translated.Same(
            """[{"type":"web_search_result_location","url":"https://a.example","title":"A","encrypted_index":"","cited_text":""}]""",
            Translated.Member(answer, "content.0.citations")
        );
    }

    [Fact]
    public void Thoughts_in_a_list_of_content_are_thoughts()
    {
        var answer = Translated.Answer(
            Open(),
            """{"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm"}]},{"type":"text","text":"a"}]},"finish_reason":"stop"}]}"""
        );

        Assert.Equal("\"Hm\"", Translated.Member(answer, "content.0.thinking"));
        Assert.Equal("\"a\"", Translated.Member(answer, "content.1.text"));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"choices\":[]}")]
    [InlineData("{\"choices\":null}")]
    [InlineData("{\"error\":{\"message\":\"a\"}}")]
    [InlineData("nothing")]
    public void What_is_no_completion_is_not_translated(string body) =>
        Assert.False(Open().TryTranslateAnswer(Encoding.UTF8.GetBytes(body), out _, out _));

    private static string Chunk(string delta, string reason = "null") =>
        $$$"""data: {"id":"c","model":"m","choices":[{"index":0,"delta":{{{delta}}},"finish_reason":{{{reason}}}}]}"""
        + "\n\n";

    private static TranslatedCall Open() =>
        Translated.Open(
            Operation.Messages,
            Operation.ChatCompletions,
            """{"model":"fast","max_tokens":9,"messages":[{"role":"user","content":"a"}]}""",
            "gpt-5"
        );
}
