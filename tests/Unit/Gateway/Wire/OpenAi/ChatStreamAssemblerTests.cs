using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi;

namespace Verbatim.Tests.Unit.Gateway.Wire.OpenAi;

public sealed class ChatStreamAssemblerTests
{
    private const string Head =
        "\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4o-2024-08-06\"";

    private const string AssembledHead =
        "\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"gpt-4o-2024-08-06\"";

    [Fact]
    public void A_stream_with_usage_becomes_the_answer_that_would_have_come_whole()
    {
        using var assembler = new ChatStreamAssembler();
        var kinds = new[]
        {
            $$"""{{{Head}},"service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"xJq8"}""",
            $$"""{{{Head}},"service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"Hello"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"d"}""",
            $$"""{{{Head}},"service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" \"you\""},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"k1"}""",
            $$"""{{{Head}},"service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null,"obfuscation":"p"}""",
            $$$"""{{{{Head}}},"service_tier":"default","system_fingerprint":"fp_1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":0}},"obfuscation":"q"}""",
            "[DONE]",
        }
            .Select(data => Add(assembler, data))
            .ToArray();

        Assert.Equal(
            [
                ChatStreamEvent.Chunk,
                ChatStreamEvent.Chunk,
                ChatStreamEvent.Chunk,
                ChatStreamEvent.Chunk,
                ChatStreamEvent.UsageOnly,
                ChatStreamEvent.Done,
            ],
            kinds
        );
        Assert.Equal(
            $$$"""{{{{AssembledHead}}},"choices":[{"index":0,"message":{"role":"assistant","content":"Hello \"you\"","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":0}},"service_tier":"default","system_fingerprint":"fp_1"}""",
            Assembled(assembler)
        );
        Assert.Equal(new TokenUsage(9, 2, 11, 0, null), assembler.Usage);
        Assert.Equal("stop", assembler.FinishReason);
        Assert.True(assembler.IsDone);
        Assert.True(assembler.IsComplete);
        Assert.Equal((5, 0), (assembler.Chunks, assembler.StrayEvents));
        Assert.True(assembler.Error.IsEmpty);
    }

    [Fact]
    public void Parallel_tool_calls_are_keyed_by_their_index_and_their_arguments_stay_a_string()
    {
        var message = MessageOf(
            """{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"get_weather","arguments":""}}]}""",
            """{"tool_calls":[{"index":0,"function":{"arguments":"{\"ci"}}]}""",
            """{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"get_time","arguments":""}}]}""",
            """{"tool_calls":[{"index":1,"function":{"arguments":"{\"zone\":"}},{"index":0,"function":{"arguments":"ty\":\"Oslo\"}"}}]}""",
            """{"tool_calls":[{"index":1,"function":{"arguments":"\"UTC\"}"}}]}"""
        );

        Assert.Equal(
            """{"role":"assistant","content":null,"tool_calls":[{"id":"call_a","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}},{"id":"call_b","type":"function","function":{"name":"get_time","arguments":"{\"zone\":\"UTC\"}"}}]}""",
            message
        );
    }

    [Fact]
    public void Tool_calls_stand_in_the_order_of_their_index_whichever_began_first() =>
        Assert.Equal(
            """{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]}""",
            MessageOf(
                """{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]}""",
                """{"tool_calls":[{"function":{"name":"f","arguments":"{}"},"type":"function","id":"a","index":0}]}"""
            )
        );

    [Fact]
    public void A_provider_that_repeats_id_and_name_in_each_piece_does_not_double_them() =>
        Assert.Equal(
            """{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}""",
            MessageOf(
                """{"role":"assistant","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]}""",
                """{"role":"assistant","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"}"}}]}"""
            )
        );

    [Theory]
    // Google's endpoint has left the index out, and has sent every call with index 0.
    [InlineData(
        """{"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}""",
        """{"tool_calls":[{"id":"b","type":"function","function":{"name":"f","arguments":"[]"}}]}"""
    )]
    [InlineData(
        """{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}""",
        """{"tool_calls":[{"index":0,"id":"b","type":"function","function":{"name":"f","arguments":"[]"}}]}"""
    )]
    [InlineData(
        """{"tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"f"}}]}""",
        """{"tool_calls":[{"id":"a","function":{"arguments":"{}"}},{"id":"b","function":{"arguments":"[]"}}]}"""
    )]
    [InlineData(
        """{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}},{"id":"","type":"","function":{"arguments":"}"}}]}""",
        """{"tool_calls":[{"id":"b","function":{"name":"f"}},{"function":{"arguments":"[]"}}]}"""
    )]
    public void Calls_without_an_index_of_their_own_are_told_apart(string first, string second) =>
        Assert.Equal(
            """{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"[]"}}]}""",
            MessageOf(first, second)
        );

    [Fact]
    public void Arguments_that_come_as_JSON_become_a_string() =>
        Assert.Equal(
            """{"a":["é\n"]}""",
            JsonNode.Parse(
                MessageOf("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":{"a":["é\n"]}}}]}""")
            )!["tool_calls"]![0]!["function"]!["arguments"]!.GetValue<string>()
        );

    [Fact]
    public void A_call_without_arguments_has_an_empty_string_of_them() =>
        Assert.Equal(
            """{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":""}}]}""",
            MessageOf("""{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":null}}]}""")
        );

    [Fact]
    public void Custom_tools_and_the_old_function_call_are_put_together_too()
    {
        Assert.Equal(
            """{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"custom","custom":{"name":"sql","input":"select 1"}}]}""",
            MessageOf(
                """{"tool_calls":[{"index":0,"id":"a","type":"custom","custom":{"name":"sql","input":"sel"}}]}""",
                """{"tool_calls":[{"index":0,"custom":{"input":"ect 1"}}]}"""
            )
        );
        Assert.Equal(
            """{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}}""",
            MessageOf(
                """{"role":"assistant","content":null,"function_call":{"name":"f","arguments":""}}""",
                """{"function_call":{"arguments":"{"}}""",
                """{"function_call":{"arguments":"}"}}"""
            )
        );
    }

    [Fact]
    public void Reasoning_refusals_and_fields_unknown_today_are_kept()
    {
        Assert.Equal(
            """{"role":"assistant","content":"Yes","reasoning_content":"Hmm, so","refusal":"No, no","new":{"a":"12","b":[1,2,3],"c":true}}""",
            MessageOf(
                """{"role":"assistant","content":null,"reasoning_content":"Hmm"}""",
                """{"reasoning_content":", so"}""",
                """{"refusal":"No"}""",
                """{"refusal":", no","new":{"a":"1","b":[1],"c":false}}""",
                """{"content":"Yes","new":{"a":"2","b":[2,3],"c":true}}"""
            )
        );
        // OpenRouter: blocks of reasoning are continued by their index.
        Assert.Equal(
            """{"role":"assistant","content":"","reasoning_details":[{"type":"reasoning.text","text":"one two","format":"v1","index":0,"signature":"s"},{"type":"reasoning.encrypted","data":"x","index":1}]}""",
            MessageOf(
                """{"content":"","reasoning_details":[{"type":"reasoning.text","text":"one","format":"v1","index":0}]}""",
                """{"reasoning_details":[{"type":"reasoning.text","text":" two","format":"v1","index":0}]}""",
                """{"reasoning_details":[{"type":"reasoning.text","signature":"s","index":0},{"type":"reasoning.encrypted","data":"x","index":1}]}"""
            )
        );
    }

    [Fact]
    public void Content_that_changes_from_a_list_to_text_stays_whole() =>
        // Mistral's reasoning models.
        Assert.Equal(
            """{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"A"}]},{"type":"thinking","thinking":[{"type":"text","text":"B"}]},"Hello",{"type":"x"},"you"]}""",
            MessageOf(
                """{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"A"}]}]}""",
                """{"content":[{"type":"thinking","thinking":[{"type":"text","text":"B"}]}]}""",
                """{"content":"Hel"}""",
                """{"content":"lo"}""",
                """{"content":[{"type":"x"}]}""",
                """{"content":"you"}"""
            )
        );

    [Fact]
    public void A_character_cut_in_two_between_chunks_is_whole_again()
    {
        Assert.Equal(
            """{"role":"assistant","content":"\ud83d\ude00"}""",
            MessageOf("""{"content":"\ud83d"}""", """{"content":"\ude00"}""")
        );

        using var assembler = new ChatStreamAssembler();
        byte[] first = [.. """{"choices":[{"delta":{"content":"a"""u8, 0xC3, .. "\"}}]}"u8];
        byte[] second = [.. """{"choices":[{"delta":{"content":"""u8, (byte)'"', 0xA9, .. "z\"}}]}"u8];
        assembler.Add(first);
        assembler.Add(second);
        Assert.Contains("\"content\":\"aéz\"", Assembled(assembler), StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_do_not_spoil_the_record()
    {
        using var assembler = new ChatStreamAssembler();
        byte[] data =
        [
            .. "{\"id\":\"a"u8,
            0xFF,
            .. "\",\"choices\":[{\"delta\":{\"content\":\"b"u8,
            0xC3,
            .. "\"}}]}"u8,
        ];

        Assert.Equal(ChatStreamEvent.Chunk, assembler.Add(data));
        Assert.StartsWith("{\"id\":\"a\uFFFD\"", Assembled(assembler), StringComparison.Ordinal);
        Assert.Contains("\"content\":\"b\uFFFD\"", Assembled(assembler), StringComparison.Ordinal);
    }

    [Fact]
    public void Several_choices_are_told_apart_and_stand_in_order()
    {
        using var assembler = new ChatStreamAssembler();
        Add(assembler, """{"choices":[{"index":1,"delta":{"role":"assistant","content":"b"}}]}""");
        Add(assembler, """{"choices":[{"delta":{"content":"a"},"index":0},{"index":2,"delta":{"content":"c"}}]}""");
        Assert.False(assembler.IsComplete);
        Add(assembler, """{"choices":[{"index":1,"delta":{"content":"b"},"finish_reason":"length"}]}""");
        Add(assembler, """{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""");
        Assert.True(assembler.HasFinishReason);
        Assert.False(assembler.IsComplete);
        Add(assembler, """{"choices":[{"index":2,"delta":{},"finish_reason":"stop"}]}""");

        Assert.True(assembler.IsComplete);
        Assert.False(assembler.IsDone);
        Assert.Equal(
            """{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"},{"index":1,"message":{"role":"assistant","content":"bb"},"finish_reason":"length"},{"index":2,"message":{"role":"assistant","content":"c"},"finish_reason":"stop"}]}""",
            Assembled(assembler)
        );
    }

    [Fact]
    public void Logprobs_are_strung_together()
    {
        using var assembler = new ChatStreamAssembler();
        Add(
            assembler,
            """{"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-0.10,"bytes":[97],"index":0,"top_logprobs":[]}],"refusal":null}}]}"""
        );
        Add(
            assembler,
            """{"choices":[{"index":0,"delta":{"content":"b"},"logprobs":{"content":[{"token":"b","logprob":-1,"bytes":[98],"index":0,"top_logprobs":[{"token":"c"}]}],"refusal":null}}]}"""
        );
        Add(assembler, """{"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}""");

        Assert.Contains(
            "\"logprobs\":{\"content\":[{\"token\":\"a\",\"logprob\":-0.10,\"bytes\":[97],\"index\":0,\"top_logprobs\":[]},{\"token\":\"b\",\"logprob\":-1,\"bytes\":[98],\"index\":0,\"top_logprobs\":[{\"token\":\"c\"}]}],\"refusal\":null}",
            Assembled(assembler),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("""{"choices":[],"usage":{"prompt_tokens":1}}""", ChatStreamEvent.UsageOnly)]
    [InlineData("""{"choices":null,"usage":{"prompt_tokens":1}}""", ChatStreamEvent.UsageOnly)]
    [InlineData("""{"usage":{"prompt_tokens":1}}""", ChatStreamEvent.UsageOnly)]
    [InlineData("""{"usage":{},"choices":[ ]}""", ChatStreamEvent.UsageOnly)]
    // A piece of the answer that also carries usage must not be left out (xAI, vLLM's continuous usage).
    [InlineData("""{"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":1}}""", ChatStreamEvent.Chunk)]
    [InlineData("""{"choices":[],"usage":null}""", ChatStreamEvent.Chunk)]
    // Azure's first chunk.
    [InlineData("""{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}""", ChatStreamEvent.Chunk)]
    [InlineData("""{"choices":null}""", ChatStreamEvent.Chunk)]
    [InlineData("""{}""", ChatStreamEvent.Chunk)]
    [InlineData("""{"choices":[],"usage":{"prompt_tokens":1},"error":{"message":"x"}}""", ChatStreamEvent.Error)]
    [InlineData("""{"error":null,"choices":[],"usage":{}}""", ChatStreamEvent.UsageOnly)]
    [InlineData("""{"error":"","choices":[]}""", ChatStreamEvent.Chunk)]
    [InlineData("""{"error":"overloaded"}""", ChatStreamEvent.Error)]
    public void What_an_event_is_follows_from_its_choices_usage_and_error(string data, object kind)
    {
        using var assembler = new ChatStreamAssembler();

        Assert.Equal(kind, Add(assembler, data));
        Assert.Equal(1, assembler.Chunks);
    }

    [Theory]
    [InlineData("[DONE]")]
    [InlineData(" [DONE] ")]
    public void Done_ends_the_answer(string done)
    {
        using var assembler = new ChatStreamAssembler();
        Add(assembler, """{"choices":[{"index":0,"delta":{"content":"a"}}]}""");
        Assert.False(assembler.IsComplete);

        Assert.Equal(ChatStreamEvent.Done, Add(assembler, done));
        Assert.Equal(ChatStreamEvent.Late, Add(assembler, """{"choices":[{"index":0,"delta":{"content":"b"}}]}"""));
        Assert.Equal(ChatStreamEvent.Late, Add(assembler, done));

        Assert.True(assembler.IsComplete);
        Assert.False(assembler.HasFinishReason);
        Assert.Equal(2, assembler.StrayEvents);
        Assert.Contains("\"content\":\"a\"},\"finish_reason\":null", Assembled(assembler), StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_after_the_status_200_is_kept_beside_what_was_answered()
    {
        using var assembler = new ChatStreamAssembler();
        Add(assembler, """{"choices":[{"index":0,"delta":{"content":"a"}}]}""");

        // OpenRouter's shape: the error beside a last choice.
        Assert.Equal(
            ChatStreamEvent.Error,
            Add(
                assembler,
                """{"id":"x","error":{"code":502,"message":"gone"},"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"error"}]}"""
            )
        );
        Assert.Equal("""{"code":502,"message":"gone"}""", Encoding.UTF8.GetString(assembler.Error.Span));
        Assert.Contains("\"content\":\"ab\"", Assembled(assembler), StringComparison.Ordinal);
        Assert.DoesNotContain("gone", Assembled(assembler), StringComparison.Ordinal);
        Assert.Equal("error", assembler.FinishReason);
    }

    [Fact]
    public void An_event_that_is_named_error_is_one()
    {
        using var assembler = new ChatStreamAssembler();
        using var reader = new SseReader();
        reader.Feed("event: error\ndata: {\"message\":\"gone\"}\n\n: comment\n\n"u8.ToArray());

        Assert.True(reader.TryRead(out var error));
        Assert.Equal(ChatStreamEvent.Error, assembler.Add(error));
        Assert.Equal("""{"message":"gone"}""", Encoding.UTF8.GetString(assembler.Error.Span));
        Assert.True(reader.TryRead(out var comment));
        Assert.Equal(ChatStreamEvent.Nothing, assembler.Add(comment));
    }

    [Fact]
    public void Usage_that_comes_in_each_chunk_is_the_last_one()
    {
        using var assembler = new ChatStreamAssembler();
        Add(assembler, """{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"completion_tokens":1}}""");
        Add(assembler, """{"choices":[{"index":0,"delta":{"content":"b"}}],"usage":{"completion_tokens":2}}""");
        Add(assembler, """{"choices":[{"index":0,"delta":{"content":"c"}}],"usage":null}""");

        Assert.Equal(new TokenUsage(null, 2, null, null, null), assembler.Usage);
        Assert.Contains("\"usage\":{\"completion_tokens\":2}", Assembled(assembler), StringComparison.Ordinal);
    }

    [Fact]
    public void No_usage_is_not_a_usage_of_zero()
    {
        using var assembler = new ChatStreamAssembler();
        Add(assembler, """{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":null}""");
        Assert.Null(assembler.Usage);
        Assert.DoesNotContain("usage", Assembled(assembler), StringComparison.Ordinal);

        Add(assembler, """{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}""");
        Assert.Equal(new TokenUsage(0, 0, 0, null, null), assembler.Usage);
    }

    [Fact]
    public void Empty_fields_of_a_first_chunk_do_not_stand_in_the_way()
    {
        // Azure: the first chunk has the filter's results, and id, model and created come later.
        using var assembler = new ChatStreamAssembler();
        Add(
            assembler,
            """{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}"""
        );
        Add(
            assembler,
            $$$"""{"choices":[{"content_filter_results":{"hate":{"filtered":false}},"delta":{"content":"a"},"index":0}],{{{Head}}},"system_fingerprint":null}"""
        );

        Assert.Equal(
            $$$$"""{{{{{AssembledHead}}}},"choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":null,"content_filter_results":{"hate":{"filtered":false}}}],"prompt_filter_results":[{"prompt_index":0}]}""",
            Assembled(assembler)
        );
    }

    [Fact]
    public void A_message_so_far_beside_each_delta_is_not_doubled()
    {
        // Perplexity.
        using var assembler = new ChatStreamAssembler();
        Add(
            assembler,
            """{"citations":["u"],"choices":[{"index":0,"message":{"role":"assistant","content":"a"},"delta":{"role":"assistant","content":"a"}}]}"""
        );
        Add(
            assembler,
            """{"citations":["u"],"choices":[{"index":0,"message":{"role":"assistant","content":"ab"},"delta":{"role":"assistant","content":"b"}}]}"""
        );

        Assert.Equal(
            """{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"ab"},"finish_reason":null}],"citations":["u"]}""",
            Assembled(assembler)
        );
    }

    [Fact]
    public void A_whole_message_in_place_of_deltas_is_the_answer()
    {
        using var assembler = new ChatStreamAssembler();
        Add(
            assembler,
            """{"choices":[{"index":0,"message":{"role":"assistant","content":"all"},"delta":{"role":"assistant","content":""},"finish_reason":"stop"}]}"""
        );

        Assert.Contains("\"content\":\"all\"", Assembled(assembler), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("\"text\"")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":"half"}}]""")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":"half"}}]} x""")]
    [InlineData("""{"id":"half","usage":{"prompt_tokens":1},"choices":[{"index":0,"delta":{"content":"half"}}],}""")]
    public void What_is_no_chunk_is_counted_and_leaves_nothing_behind(string data)
    {
        using var assembler = new ChatStreamAssembler();
        Add(assembler, """{"choices":[{"index":0,"delta":{"content":"a"}}]}""");
        var before = Assembled(assembler);

        Assert.Equal(ChatStreamEvent.Unreadable, Add(assembler, data));
        Assert.Equal(1, assembler.StrayEvents);
        Assert.Equal(before, Assembled(assembler));
        Assert.Null(assembler.Usage);
        Assert.Equal(ChatStreamEvent.Chunk, Add(assembler, """{"choices":[{"index":0,"delta":{"content":"b"}}]}"""));
        Assert.Contains("\"content\":\"ab\"", Assembled(assembler), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"choices":{"index":0,"delta":{"content":"a"}}}""")]
    [InlineData("""{"choices":"a"}""")]
    [InlineData("""{"choices":[null,1,"a",[]]}""")]
    [InlineData("""{"usage":"much"}""")]
    [InlineData("""{"usage":[1]}""")]
    public void Fields_of_a_wrong_type_are_passed_over(string data)
    {
        using var assembler = new ChatStreamAssembler();

        Assert.Equal(ChatStreamEvent.Chunk, Add(assembler, data));
        Assert.Equal("""{"object":"chat.completion","choices":[]}""", Assembled(assembler));
    }

    [Theory]
    [InlineData("""{"index":"x","delta":{"content":"a"}}""", "a")]
    [InlineData("""{"index":0,"delta":null}""", null)]
    [InlineData("""{"index":0,"delta":"a"}""", null)]
    [InlineData("""{"index":0}""", null)]
    [InlineData("""{}""", null)]
    [InlineData("""{"index":0,"delta":{"content":"a","tool_calls":null},"finish_reason":7}""", "a")]
    [InlineData("""{"index":0,"delta":{"content":"a","tool_calls":[null,1]},"finish_reason":""}""", "a")]
    [InlineData("""{"index":0,"delta":{"con\u0074ent":"a"}}""", "a")]
    public void A_choice_needs_nothing_to_be_read(string choice, string? content)
    {
        using var assembler = new ChatStreamAssembler();
        Assert.Equal(ChatStreamEvent.Chunk, Add(assembler, $$"""{"choices":[{{choice}}]}"""));

        var read = JsonNode.Parse(Assembled(assembler))!["choices"]![0]!;
        Assert.Equal(0, read["index"]!.GetValue<int>());
        Assert.Equal(content, (string?)read["message"]!["content"]);
        Assert.Null((string?)read["finish_reason"]);
        Assert.False(assembler.HasFinishReason);
    }

    [Fact]
    public void A_provider_that_goes_on_inventing_names_is_kept_within_bounds()
    {
        using var assembler = new ChatStreamAssembler();
        for (var i = 0; i < 3000; i++)
        {
            Add(
                assembler,
                $$$"""{"x{{{i}}}":1,"choices":[{"index":{{{i}}},"delta":{"y{{{i}}}":1,"tool_calls":[{"index":{{{i}}},"id":"a"}]}},{"index":0,"delta":{"z{{{i}}}":1,"tool_calls":[{"index":{{{i}}},"id":"a"}]}}]}"""
            );
        }

        var answer = JsonNode.Parse(Assembled(assembler))!;
        Assert.Equal(1024, answer["choices"]!.AsArray().Count);
        Assert.Equal(1024, answer["choices"]![0]!["message"]!["tool_calls"]!.AsArray().Count);
        Assert.True(answer.AsObject().Count < 1030);
    }

    [Fact]
    public void An_answer_that_is_cut_up_and_put_together_is_the_answer()
    {
        var choices =
            from content in Gen.OneOf(
                Gen.Constant<string?>(null),
                Pieces(Generators.JsonString).Select(p => (string?)p)
            )
            from reasoning in Gen.OneOf(
                Gen.Constant<string?>(null),
                Pieces(Generators.JsonString).Select(p => (string?)p)
            )
            from calls in Pieces(Generators.JsonString).ListOf().Select(l => l.Take(3).ToArray())
            from finish in Gen.Elements("stop", "length", "tool_calls")
            select (content, reasoning, calls, finish);
        var answers =
            from count in Gen.Choose(1, 3)
            from list in choices.ListOf(count)
            from order in Gen.Choose(0, 1000).ListOf(200)
            select (Choices: list.ToArray(), Order: order.ToArray());

        Check.One(
            Generators.Tests(500),
            Prop.ForAll(
                answers.ToArbitrary(),
                answer =>
                {
                    // Each choice's deltas in their order; which choice comes next is up to chance.
                    var queues = answer.Choices.Select(c => new Queue<string>(Deltas(c))).ToArray();
                    using var assembler = new ChatStreamAssembler();
                    for (var turn = 0; queues.Any(q => q.Count > 0); turn++)
                    {
                        var open = queues.Index().Where(q => q.Item.Count > 0).ToArray();
                        var (index, queue) = open[answer.Order[turn % answer.Order.Length] % open.Length];
                        Assert.Equal(
                            ChatStreamEvent.Chunk,
                            Add(
                                assembler,
                                $$$"""{{{{Head}}},"choices":[{"index":{{{index}}},{{{queue.Dequeue()}}}}]}"""
                            )
                        );
                    }
                    Assert.True(assembler.IsComplete);
                    Assert.Equal(
                        $$"""{{{AssembledHead}},"choices":[{{string.Join(
                            ',',
                            answer.Choices.Select((c, i) => Whole(c, i))
                        )}}]}""",
                        Assembled(assembler)
                    );
                }
            )
        );

        static IEnumerable<string> Deltas((string? Content, string? Reasoning, string[] Calls, string Finish) choice)
        {
            yield return "\"delta\":{\"role\":\"assistant\",\"content\":null},\"finish_reason\":null";
            foreach (var piece in choice.Reasoning?.Split('\u0001') ?? [])
                yield return $$"""  "delta":{"reasoning_content":"{{piece}}"},"finish_reason":null""";
            foreach (var piece in choice.Content?.Split('\u0001') ?? [])
                yield return $$""" "delta":{"content":"{{piece}}"},"finish_reason":null""";
            for (var call = 0; call < choice.Calls.Length; call++)
            {
                yield return $$$""" "delta":{"tool_calls":[{"index":{{{call}}},"id":"c{{{call}}}","type":"function","function":{"name":"f{{{call}}}","arguments":""}}]}""";
                foreach (var piece in choice.Calls[call].Split('\u0001'))
                    yield return $$$""" "delta":{"tool_calls":[{"index":{{{call}}},"function":{"arguments":"{{{piece}}}"}}]}""";
            }
            yield return $$""" "delta":{},"finish_reason":"{{choice.Finish}}" """;
        }

        static string Whole((string? Content, string? Reasoning, string[] Calls, string Finish) choice, int index)
        {
            var message = "\"role\":\"assistant\",\"content\":" + Quoted(choice.Content);
            if (choice.Reasoning is not null)
                message += ",\"reasoning_content\":" + Quoted(choice.Reasoning);
            if (choice.Calls.Length > 0)
            {
                var calls = choice.Calls.Select(
                    (arguments, i) =>
                        $$$"""{"id":"c{{{i}}}","type":"function","function":{"name":"f{{{i}}}","arguments":{{{Quoted(arguments)}}}}}"""
                );
                message += ",\"tool_calls\":[" + string.Join(',', calls) + "]";
            }
            return $$$"""{"index":{{{index}}},"message":{{{{message}}}},"finish_reason":"{{{choice.Finish}}}"}""";
        }

        static string Quoted(string? pieces) =>
            pieces is null ? "null" : "\"" + pieces.Replace("\u0001", "", StringComparison.Ordinal) + "\"";

        // The insides of JSON strings with marks where they are cut.
        static Gen<string> Pieces(Gen<string> json) =>
            json.NonEmptyListOf().Select(l => string.Join('\u0001', l.Select(s => s[1..^1])));
    }

    [Fact]
    public void Whatever_comes_nothing_is_thrown_and_the_record_is_JSON()
    {
        var names = Gen.Elements(
            "\"id\"",
            "\"created\"",
            "\"model\"",
            "\"choices\"",
            "\"usage\"",
            "\"error\"",
            "\"index\"",
            "\"delta\"",
            "\"message\"",
            "\"logprobs\"",
            "\"finish_reason\"",
            "\"role\"",
            "\"content\"",
            "\"tool_calls\"",
            "\"function\"",
            "\"name\"",
            "\"arguments\"",
            "\"prompt_tokens\"",
            "\"\\ud83d\"",
            "\"x\""
        );
        var data = Gen.OneOf(
            Object(names, 5).Select(Generators.Utf8),
            from json in Object(names, 4).Select(Generators.Utf8)
            from at in Gen.Choose(0, json.Length - 1)
            from value in Gen.Choose(0, 255)
            select (byte[])[.. json[..at], (byte)value, .. json[(at + 1)..]],
            ArbMap.Default.GeneratorFor<byte[]>()
        );

        Check.One(
            Generators.Tests(3000),
            Prop.ForAll(
                data.ListOf().ToArbitrary(),
                events =>
                {
                    using var assembler = new ChatStreamAssembler();
                    foreach (var bytes in events)
                        assembler.Add(bytes);
                    // Checks that it is JSON, and UTF-8.
                    Assembled(assembler);
                    Assert.Equal(events.Count, assembler.Chunks + assembler.StrayEvents + (assembler.IsDone ? 1 : 0));
                }
            )
        );

        static Gen<string> Object(Gen<string> names, int depth)
        {
            var scalar = Gen.OneOf(Generators.JsonString, Gen.Elements("null", "true", "false", "0", "1", "-2", "1.5"));
            var value =
                depth == 0
                    ? scalar
                    : Gen.OneOf(
                        scalar,
                        Object(names, depth - 1),
                        Object(names, depth - 1).ListOf().Select(l => "[" + string.Join(',', l.Take(3)) + "]"),
                        scalar.ListOf().Select(l => "[" + string.Join(',', l.Take(3)) + "]")
                    );
            return Generators.Member(names, value).ListOf().Select(l => "{" + string.Join(',', l.Take(5)) + "}");
        }
    }

    private static ChatStreamEvent Add(ChatStreamAssembler assembler, string data) =>
        assembler.Add(Encoding.UTF8.GetBytes(data));

    private static string MessageOf(params string[] deltas)
    {
        using var assembler = new ChatStreamAssembler();
        foreach (var delta in deltas)
            Assert.Equal(ChatStreamEvent.Chunk, Add(assembler, $$"""{"choices":[{"index":0,"delta":{{delta}}}]}"""));
        using var answer = JsonDocument.Parse(Assembled(assembler));
        return answer.RootElement.GetProperty("choices")[0].GetProperty("message").GetRawText();
    }

    private static string Assembled(ChatStreamAssembler assembler)
    {
        var bytes = assembler.ToArray();
        Assert.True(System.Text.Unicode.Utf8.IsValid(bytes));
        using var answer = JsonDocument.Parse(bytes);
        Assert.Equal(JsonValueKind.Object, answer.RootElement.ValueKind);
        return Encoding.UTF8.GetString(bytes);
    }
}
