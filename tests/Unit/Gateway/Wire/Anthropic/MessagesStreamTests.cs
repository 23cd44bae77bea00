using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Anthropic;
using Verbatim.Tests.Unit.Gateway.Wire.Translation;

namespace Verbatim.Tests.Unit.Gateway.Wire.Anthropic;

public sealed class MessagesStreamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(13)]
    [InlineData(100_000)]
    public void The_bytes_stay_and_the_message_is_put_together(int cut)
    {
        var relayed = Translated.Stream(new MessagesStream(), MessagesToChatAnswerTests.Stream, cut);

        Assert.Equal(MessagesToChatAnswerTests.Stream, relayed.Events);
        Translated.Same(
            """
            {"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[
              {"type":"thinking","thinking":"Let me see.","signature":"EqQB+/="},
              {"type":"text","text":"Wait \"a\" bit\né😀"},
              {"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Bern"}},
              {"type":"tool_use","id":"toolu_2","name":"now","input":{}},
              {"text":"lost"}],
             "stop_reason":"tool_use","stop_sequence":null,
             "usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":85,"output_tokens":89}}
            """,
            relayed.Whole
        );
        Assert.True(relayed is { IsComplete: true, IsDone: true, HasError: false });
        Assert.Equal(new TokenUsage(100, 89, null, 85, null, 5), relayed.Usage);
    }

    [Fact]
    public void Blocks_and_deltas_that_are_not_known_are_kept()
    {
        var relayed = Translated.Stream(
            new MessagesStream(),
            Event(
                """{"type":"message_start","message":{"id":"m","content":[],"usage":{"input_tokens":3,"service_tier":"standard"}}}"""
            )
                + Event(
                    """{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}"""
                )
                + Event(
                    """{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"q\":"}}"""
                )
                + Event(
                    """{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"1}"}}"""
                )
                + Event(
                    """{"type":"content_block_start","index":1,"content_block":{"type":"hologram","light":"","x":[1]}}"""
                )
                + Event("""{"type":"content_block_delta","index":1,"delta":{"type":"light_delta","light":"a"}}""")
                + Event("""{"type":"content_block_delta","index":1,"delta":{"type":"light_delta","light":"b"}}""")
                + Event(
                    """{"type":"content_block_start","index":2,"content_block":{"type":"text","text":"","citations":null}}"""
                )
                + Event(
                    """{"type":"content_block_delta","index":2,"delta":{"type":"citations_delta","citation":{"type":"char_location","document_index":0}}}"""
                )
                + Event(
                    """{"type":"content_block_delta","index":2,"delta":{"type":"citations_delta","citation":{"type":"char_location","document_index":1}}}"""
                )
                + Event(
                    """{"type":"message_delta","delta":{"stop_reason":"pause_turn","container":{"id":"c"}},"usage":{"output_tokens":4,"service_tier":"standard","server_tool_use":{"web_search_requests":1}}}"""
                )
        );

        Translated.Same(
            """
            {"id":"m","container":{"id":"c"},"content":[
               {"type":"server_tool_use","id":"s","name":"web_search","input":{"q":1}},
               {"type":"hologram","light":"ab","x":[1]},
               {"type":"text","text":"","citations":[{"type":"char_location","document_index":0},{"type":"char_location","document_index":1}]}],
             "stop_reason":"pause_turn","usage":{"input_tokens":3,"service_tier":"standard","output_tokens":4,"server_tool_use":{"web_search_requests":1}}}
            """,
            relayed.Whole
        );
        Assert.True(relayed is { IsComplete: true, IsDone: false });
    }

    [Fact]
    public void The_usage_of_a_stream_that_breaks_off_is_what_was_said()
    {
        var relayed = Translated.Stream(
            new MessagesStream(),
            Event("""{"type":"message_start","message":{"content":[],"usage":{"input_tokens":0,"output_tokens":1}}}""")
                + Event("""{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""")
        );

        Assert.Equal(new TokenUsage(0, 1, null, null, null), relayed.Usage);
        Assert.False(relayed.IsComplete);
    }

    [Fact]
    public void An_error_in_the_stream_is_seen()
    {
        var relayed = Translated.Stream(
            new MessagesStream(),
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
        );

        Assert.True(relayed is { HasError: true, IsComplete: false, Chunks: 1 });
    }

    [Fact]
    public void A_reason_of_null_is_no_end() =>
        Assert.False(
            Translated
                .Stream(
                    new MessagesStream(),
                    Event("""{"type":"message_start","message":{"content":[],"stop_reason":null}}""")
                        + Event("""{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":4}}""")
                )
                .IsComplete
        );

    [Fact]
    public void Whatever_comes_it_is_relayed_and_the_record_is_json()
    {
        var events = Gen.OneOf(
            Gen.Elements(
                """{"type":"message_start","message":{"content":[],"usage":{"input_tokens":1}}}""",
                """{"type":"message_start","message":null}""",
                """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""",
                """{"type":"content_block_start","index":-3,"content_block":[]}""",
                """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\ud83d"}}""",
                """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":{"a":1}}}""",
                """{"type":"content_block_delta","index":7,"delta":{"type":"input_json_delta","partial_json":"{"}}""",
                """{"type":"content_block_delta","index":7,"delta":{"partial_json":5}}""",
                """{"type":"content_block_delta","delta":{"citation":null}}""",
                """{"type":"content_block_delta","delta":"x"}""",
                """{"type":"message_delta","delta":{"stop_reason":5},"usage":[]}""",
                """{"type":"message_delta","delta":null,"usage":{"output_tokens":1e400}}""",
                """{"type":5}""",
                "{",
                ""
            ),
            Generators.JsonValue(2)
        );
        Prop.ForAll(
                events.ListOf().ToArbitrary(),
                Generators.Cuts.ToArbitrary(),
                (list, cuts) =>
                {
                    var stream = string.Concat(
                        list.Select(e => Event(e.ReplaceLineEndings(" ").Replace('\r', ' ').Replace('\n', ' ')))
                    );
                    var relayed = Translated.Stream(new MessagesStream(), stream, cuts);
                    using var record = JsonDocument.Parse(Encoding.UTF8.GetBytes(relayed.Whole));
                    return relayed.Events == stream && record.RootElement.ValueKind == JsonValueKind.Object;
                }
            )
            .Check(Generators.Tests(500));
    }

    private static string Event(string data) => $"event: x\ndata: {data}\n\n";
}
