using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi.Responses;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

/// <summary>Answers on the wire of OpenAI's responses, to the caller or from the provider.</summary>
public sealed class ResponsesAnswerTests
{
    private const string Output = """
        [{"id":"rs_0193a5b000007000800000000000beef0","type":"reasoning","summary":[{"type":"summary_text","text":"Let me see."}],"encrypted_content":"vb1.thinking||EqQB+/="},
         {"id":"msg_0193a5b000007000800000000000beef1","type":"message","status":"completed","role":"assistant","content":[
            {"type":"output_text","text":"Wait \"a\" bit\n\u00e9😀","annotations":[],"logprobs":[]}]},
         {"id":"fc_0193a5b000007000800000000000beef2","type":"function_call","status":"completed","arguments":"{\"city\": \"Bern\"}","call_id":"toolu_1","name":"weather"},
         {"id":"fc_0193a5b000007000800000000000beef3","type":"function_call","status":"completed","arguments":"{}","call_id":"toolu_2","name":"now"}]
        """;

    /// <summary>As OpenAI's reference has it, "Streaming events": a reasoning item, a text with a citation, a call.</summary>
    internal const string Stream = """
        event: response.created
        data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"gpt-5-2025","output":[],"usage":null}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}

        event: response.reasoning_summary_part.added
        data: {"type":"response.reasoning_summary_part.added","sequence_number":2,"item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}

        event: response.reasoning_summary_text.delta
        data: {"type":"response.reasoning_summary_text.delta","sequence_number":3,"item_id":"rs_1","output_index":0,"summary_index":0,"delta":"Let me see."}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":4,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"Let me see."}],"encrypted_content":"gAAA="}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":5,"output_index":1,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":6,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"Wait \"a\" ","logprobs":[{"token":"Wait","logprob":-0.1,"bytes":[],"top_logprobs":[]}]}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":7,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"bit","logprobs":[]}

        event: response.output_text.annotation.added
        data: {"type":"response.output_text.annotation.added","sequence_number":8,"item_id":"msg_1","output_index":1,"content_index":0,"annotation_index":0,"annotation":{"type":"url_citation","url":"https://a.example","title":"A","start_index":0,"end_index":4}}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":9,"output_index":1,"item":{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Wait \"a\" bit"}]}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","sequence_number":10,"output_index":2,"item":{"id":"fc_1","type":"function_call","status":"in_progress","arguments":"","call_id":"call_1","name":"weather"}}

        event: response.function_call_arguments.delta
        data: {"type":"response.function_call_arguments.delta","sequence_number":11,"item_id":"fc_1","output_index":2,"delta":"{\"city\""}

        event: response.function_call_arguments.delta
        data: {"type":"response.function_call_arguments.delta","sequence_number":12,"item_id":"fc_1","output_index":2,"delta":":1}"}

        event: response.output_item.done
        data: {"type":"response.output_item.done","sequence_number":13,"output_index":2,"item":{"id":"fc_1","type":"function_call","status":"completed","arguments":"{\"city\":1}","call_id":"call_1","name":"weather"}}

        event: response.completed
        data: {"type":"response.completed","sequence_number":14,"response":{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"gpt-5-2025","output":[{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"Let me see."}],"encrypted_content":"gAAA="},{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Wait \"a\" bit","annotations":[{"type":"url_citation","url":"https://a.example","title":"A","start_index":0,"end_index":4}],"logprobs":[{"token":"Wait","logprob":-0.1,"bytes":[],"top_logprobs":[]}]}]},{"id":"fc_1","type":"function_call","status":"completed","arguments":"{\"city\":1}","call_id":"call_1","name":"weather"}],"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":85,"cache_write_tokens":5},"output_tokens":89,"output_tokens_details":{"reasoning_tokens":7},"total_tokens":189}}}


        """;

    private const string ChatAnswer = """
        {"id":"chatcmpl-0193a5b000007000800000000000beef","object":"chat.completion","created":1790000000,"model":"gpt-5-2025",
         "choices":[{"index":0,"message":{"role":"assistant","content":"Wait \"a\" bit","refusal":null,"reasoning_content":"Let me see.",
           "reasoning_details":[{"type":"reasoning.summary","summary":"Let me see.","id":"rs_1","format":"openai-responses-v1","index":0},
                                {"type":"reasoning.encrypted","data":"gAAA=","id":"rs_1","format":"openai-responses-v1","index":0}],
           "tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":1}"}}],
           "annotations":[{"type":"url_citation","url_citation":{"url":"https://a.example","title":"A","start_index":0,"end_index":4}}]},
           "logprobs":{"content":[{"token":"Wait","logprob":-0.1,"bytes":[],"top_logprobs":[]}],"refusal":null},"finish_reason":"tool_calls"}],
         "usage":{"prompt_tokens":100,"completion_tokens":89,"total_tokens":189,"prompt_tokens_details":{"cached_tokens":85,"cache_write_tokens":5},
                  "completion_tokens_details":{"reasoning_tokens":7}}}
        """;

    [Theory]
    [InlineData(1)]
    [InlineData(100_000)]
    public void A_stream_of_messages_becomes_a_response(int cut)
    {
        var relayed = Translated.Stream(
            ForResponses(Operation.Messages).OpenStream(),
            MessagesToChatAnswerTests.Stream,
            cut
        );

        Translated.Same(Output, Translated.Member(relayed.Whole, "output"));
        Assert.Equal("\"completed\"", Translated.Member(relayed.Whole, "status"));
        Assert.True(relayed is { IsComplete: true, IsDone: true });
        Translated.Same(
            """{"input_tokens":100,"input_tokens_details":{"cached_tokens":85,"cache_write_tokens":5},"output_tokens":89,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":189}""",
            Translated.Member(relayed.Whole, "usage")
        );
    }

    [Fact]
    public void Its_events_follow_each_other_as_openai_sends_them()
    {
        var relayed = Translated.Stream(
            ForResponses(Operation.Messages).OpenStream(),
            MessagesToChatAnswerTests.Stream
        );

        var events = Translated.DataOf(relayed.Events);
        Assert.Equal(
            """
            created in_progress
            output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.delta reasoning_summary_text.done reasoning_summary_part.done output_item.done
            output_item.added content_part.added output_text.delta output_text.delta output_text.done content_part.done output_item.done
            output_item.added function_call_arguments.delta function_call_arguments.delta function_call_arguments.done output_item.done
            output_item.added function_call_arguments.delta function_call_arguments.done output_item.done
            completed
            """.ReplaceLineEndings(" "),
            string.Join(' ', events.Select(e => ((string)e["type"]!)["response.".Length..]))
        );
        Assert.Equal(Enumerable.Range(0, events.Length), events.Select(e => (int)e["sequence_number"]!));
        Translated.Same(Output, events[^1]["response"]!["output"]!.ToJsonString());
        Translated.Same(relayed.Whole, events[^1]["response"]!.ToJsonString());
        Assert.Equal("Let me see.", (string?)events[6]["text"]);
        Assert.All(
            relayed.Events.Split("\n\n", StringSplitOptions.RemoveEmptyEntries),
            e =>
                Assert.StartsWith(
                    "event: "
                        + (string?)JsonNode.Parse(e[(e.IndexOf("data: ", StringComparison.Ordinal) + 6)..])!["type"]
                        + "\n",
                    e,
                    StringComparison.Ordinal
                )
        );
    }

    [Fact]
    public void A_response_repeats_its_request()
    {
        var call = Translated.Open(
            Operation.Responses,
            Operation.ChatCompletions,
            """{"model":"a","input":"Hi","instructions":"I","temperature":0.25,"metadata":{"k":"v"},"tools":[{"type":"function","name":"f","parameters":null,"strict":null}]}"""
        );
        var answer = Translated.Answer(call, """{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}""");

        Assert.Equal("\"I\"", Translated.Member(answer, "instructions"));
        Assert.Equal("0.25", Translated.Member(answer, "temperature"));
        Assert.Equal("""{"k":"v"}""", Translated.Member(answer, "metadata"));
        Assert.Equal("\"f\"", Translated.Member(answer, "tools.0.name"));
        Assert.Equal("\"auto\"", Translated.Member(answer, "tool_choice"));
    }

    [Theory]
    [InlineData("length", "incomplete", """{"reason":"max_output_tokens"}""")]
    [InlineData("content_filter", "incomplete", """{"reason":"content_filter"}""")]
    [InlineData("stop", "completed", "absent")]
    public void The_end_of_a_chat_is_the_status_of_a_response(string reason, string status, string details)
    {
        var relayed = Translated.Stream(
            ForResponses(Operation.ChatCompletions).OpenStream(),
            $$$"""data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"{{{reason}}}"}]}"""
                + "\n\ndata: [DONE]\n\n"
        );

        Assert.Equal($"\"{status}\"", Translated.Member(relayed.Whole, "status"));
        Assert.Equal(details, Translated.Member(relayed.Whole, "incomplete_details"));
        Assert.Contains($"event: response.{status}\n", relayed.Events, StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_in_the_stream_is_an_error_and_a_failed_response()
    {
        var relayed = Translated.Stream(
            ForResponses(Operation.Messages).OpenStream(),
            MessagesToChatAnswerTests.Stream[
                ..MessagesToChatAnswerTests.Stream.IndexOf("event: content_block_stop", StringComparison.Ordinal)
            ]
                + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
        );

        var events = Translated.DataOf(relayed.Events);
        Assert.Equal(
            ("error", "overloaded", "Overloaded"),
            ((string?)events[^2]["type"], (string?)events[^2]["code"], (string?)events[^2]["message"])
        );
        Assert.Equal(
            ("response.failed", "failed"),
            ((string?)events[^1]["type"], (string?)events[^1]["response"]!["status"])
        );
        Assert.True(relayed is { HasError: true, IsComplete: false });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100_000)]
    public void A_stream_of_a_response_becomes_a_chat(int cut)
    {
        var relayed = Translated.Stream(ForChat().OpenStream(), Stream, cut);

        Translated.Same(ChatAnswer, relayed.Whole);
        Assert.True(relayed is { IsComplete: true, IsDone: true });
        Assert.EndsWith("data: [DONE]\n\n", relayed.Events, StringComparison.Ordinal);
        Assert.Equal(new TokenUsage(100, 89, 189, 85, 7, 5), relayed.Usage);
        Assert.Contains("\"logprobs\":{\"content\":[{\"token\":\"Wait\"", relayed.Events, StringComparison.Ordinal);
    }

    [Fact]
    public void A_whole_response_becomes_a_chat() =>
        Translated.Same(
            ChatAnswer,
            Translated.Answer(ForChat(), Translated.DataOf(Stream)[^1]["response"]!.ToJsonString())
        );

    [Fact]
    public void A_whole_response_becomes_a_message()
    {
        var call = Translated.Open(
            Operation.Messages,
            Operation.Responses,
            """{"model":"a","max_tokens":9,"messages":[]}""",
            "gpt-5"
        );

        Translated.Same(
            """
            [{"type":"thinking","thinking":"Let me see.","signature":"vb1.item|rs_1|gAAA="},
             {"type":"text","text":"Wait \"a\" bit","citations":[{"type":"web_search_result_location","url":"https://a.example","title":"A","encrypted_index":"","cited_text":""}]},
             {"type":"tool_use","id":"call_1","name":"weather","input":{"city":1},"caller":{"type":"direct"}}]
            """,
            Translated.Member(
                Translated.Answer(call, Translated.DataOf(Stream)[^1]["response"]!.ToJsonString()),
                "content"
            )
        );
    }

    [Fact]
    public void A_failed_response_is_an_error()
    {
        var relayed = Translated.Stream(
            ForChat().OpenStream(),
            """data: {"type":"response.failed","sequence_number":1,"response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"Slow"},"output":[]}}"""
                + "\n\n"
        );

        Assert.Equal(
            """data: {"error":{"message":"Slow","type":"requests","param":null,"code":"rate_limit_exceeded"}}"""
                + "\n\n",
            relayed.Events
        );
        Assert.True(relayed is { HasError: true, IsComplete: false });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100_000)]
    public void Between_two_of_that_wire_the_bytes_stay(int cut)
    {
        var relayed = Translated.Stream(new ResponsesStream(), Stream, cut);

        Assert.Equal(Stream, relayed.Events);
        Translated.Same(Translated.DataOf(Stream)[^1]["response"]!.ToJsonString(), relayed.Whole);
        Assert.True(relayed is { IsComplete: true, IsDone: true, HasError: false, Chunks: 15 });
        Assert.Equal(new TokenUsage(100, 89, 189, 85, 7, 5), relayed.Usage);
    }

    [Fact]
    public void A_stream_that_breaks_off_keeps_what_came()
    {
        var relayed = Translated.Stream(
            new ResponsesStream(),
            Stream[..Stream.IndexOf("event: response.output_text.annotation", StringComparison.Ordinal)]
        );

        Assert.False(relayed.IsComplete);
        Assert.Equal("\"resp_1\"", Translated.Member(relayed.Whole, "id"));
        Assert.Equal("\"gAAA=\"", Translated.Member(relayed.Whole, "output.0.encrypted_content"));
        Assert.Equal("\"Wait \\\"a\\\" bit\"", Translated.Member(relayed.Whole, "output.1.partial"));
    }

    private static TranslatedCall ForResponses(Operation target) =>
        Translated.Open(Operation.Responses, target, """{"model":"fast","input":"a"}""");

    private static TranslatedCall ForChat() =>
        Translated.Open(
            Operation.ChatCompletions,
            Operation.Responses,
            """{"model":"fast","messages":[],"logprobs":true}""",
            "gpt-5"
        );
}
