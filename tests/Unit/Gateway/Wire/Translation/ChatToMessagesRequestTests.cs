using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

public sealed class ChatToMessagesRequestTests
{
    private const string User = """{"role":"user","content":"Hi"}""";

    [Fact]
    public void A_plain_question_is_asked_with_a_limit_and_the_providers_model()
    {
        var call = Open(
            """{"model":"fast","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]}"""
        );

        Translated.Same(
            """
            {"model":"claude-sonnet-4-5","max_tokens":4096,"system":"Be brief.",
             "messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}
            """,
            Translated.BodyOf(call)
        );
        Assert.Empty(call.Unsupported);
    }

    [Fact]
    public void Everything_that_both_wires_can_say_is_said()
    {
        var call = Open(
            $$$"""
            {"model":"fast","messages":[{{{User}}}],"max_completion_tokens":100,"temperature":0.50,"top_p":0.9,"stop":["END"],"stream":true,
             "tools":[{"type":"function","function":{"name":"find","description":"Finds.","parameters":{"type":"object","properties":{"q":{"type":"string"} } },"strict":true} }],
             "tool_choice":"required","parallel_tool_calls":false,"service_tier":"default","user":"u-1",
             "response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"},"strict":true} } }
            """
        );

        Translated.Same(
            """
            {"model":"claude-sonnet-4-5","max_tokens":100,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],
             "stream":true,"temperature":0.50,"top_p":0.9,"stop_sequences":["END"],
             "tools":[{"name":"find","description":"Finds.","input_schema":{"type":"object","properties":{"q":{"type":"string"}}},"strict":true}],
             "tool_choice":{"type":"any","disable_parallel_tool_use":true},"service_tier":"standard_only","metadata":{"user_id":"u-1"},
             "output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}}
            """,
            Translated.BodyOf(call)
        );
        Assert.Empty(call.Unsupported);
    }

    [Theory]
    [InlineData("\"logprobs\":true", "logprobs")]
    [InlineData("\"top_logprobs\":2", "top_logprobs")]
    [InlineData("\"n\":2", "n")]
    [InlineData("\"seed\":1", "seed")]
    [InlineData("\"frequency_penalty\":0.1", "frequency_penalty")]
    [InlineData("\"presence_penalty\":-1", "presence_penalty")]
    [InlineData("\"logit_bias\":{\"1\":5}", "logit_bias")]
    [InlineData("\"store\":true", "store")]
    [InlineData("\"metadata\":{\"a\":\"b\"}", "metadata")]
    [InlineData("\"verbosity\":\"low\"", "verbosity")]
    [InlineData("\"service_tier\":\"flex\"", "service_tier")]
    [InlineData("\"temperature\":1.5", "temperature")]
    [InlineData("\"stop\":\"\\n\"", "stop")]
    [InlineData("\"response_format\":{\"type\":\"json_object\"}", "response_format")]
    [InlineData("\"modalities\":[\"text\",\"audio\"]", "modalities")]
    [InlineData("\"audio\":{\"voice\":\"ash\",\"format\":\"mp3\"}", "audio")]
    [InlineData("\"prediction\":{\"type\":\"content\",\"content\":\"a\"}", "prediction")]
    [InlineData("\"web_search_options\":{}", "web_search_options")]
    [InlineData("\"functions\":[],\"zeta\":1", "functions zeta")]
    [InlineData("\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"a\"}}]", "tools[0]")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a.b\"}}]", "tools[0].function.name")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\",\"x\":1}}]", "tools[0].function.x")]
    [InlineData("\"reasoning_effort\":\"extreme\"", "reasoning_effort")]
    public void What_messages_cannot_do_is_named(string member, string names) =>
        Assert.Equal(
            names,
            Translated.UnsupportedOf(Open($$$"""{"model":"a","messages":[{{{User}}}],{{{member}}}}"""))
        );

    [Theory]
    [InlineData("\"n\":1")]
    [InlineData("\"logprobs\":false")]
    [InlineData("\"top_logprobs\":0")]
    [InlineData("\"store\":false")]
    [InlineData("\"stream_options\":{\"include_usage\":true,\"include_obfuscation\":false}")]
    [InlineData("\"seed\":null,\"zeta\":null,\"logit_bias\":null")]
    [InlineData("\"frequency_penalty\":0,\"presence_penalty\":0.0")]
    [InlineData("\"logit_bias\":{}")]
    [InlineData("\"metadata\":{}")]
    [InlineData("\"verbosity\":\"medium\"")]
    [InlineData("\"modalities\":[\"text\"]")]
    [InlineData("\"response_format\":{\"type\":\"text\"}")]
    [InlineData("\"tool_choice\":\"auto\"")]
    [InlineData("\"parallel_tool_calls\":true")]
    public void What_asks_for_the_default_is_no_complaint(string member) =>
        Assert.Empty(Open($$$"""{"model":"a","messages":[{{{User}}}],{{{member}}}}""").Unsupported);

    [Theory]
    [InlineData("\"auto\"", "absent")]
    [InlineData("\"none\"", "absent")]
    public void A_choice_without_tools_is_left_out(string choice, string expected) =>
        Assert.Equal(
            expected,
            Translated.Member(
                Translated.BodyOf(Open($$$"""{"model":"a","messages":[{{{User}}}],"tool_choice":{{{choice}}}}""")),
                "tool_choice"
            )
        );

    [Theory]
    [InlineData("\"tool_choice\":\"none\",\"parallel_tool_calls\":false", """{"type":"none"}""")]
    [InlineData(
        "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
        """{"type":"tool","name":"f"}"""
    )]
    [InlineData("\"parallel_tool_calls\":false", """{"type":"auto","disable_parallel_tool_use":true}""")]
    [InlineData("\"parallel_tool_calls\":true", "absent")]
    public void The_choice_of_tools_is_kept(string members, string expected) =>
        Assert.Equal(
            expected,
            Translated.Member(
                Translated.BodyOf(
                    Open(
                        $$$"""{"model":"a","messages":[{{{User}}}],"tools":[{"type":"function","function":{"name":"f"}}],{{{members}}}}"""
                    )
                ),
                "tool_choice"
            )
        );

    [Theory]
    [InlineData("", """{"type":"object","properties":{}}""")]
    [InlineData(""","parameters":{}""", """{"type":"object"}""")]
    [InlineData(""","parameters":{ "properties":{} }""", """{"type":"object","properties":{}}""")]
    [InlineData(""","parameters":{"type":"object"}""", """{"type":"object"}""")]
    public void A_schema_is_always_of_an_object(string parameters, string expected) =>
        Assert.Equal(
            expected,
            Translated.Member(
                Translated.BodyOf(
                    Open(
                        $$$"""{"model":"a","messages":[{{{User}}}],"tools":[{"type":"function","function":{"name":"f"{{{parameters}}}}}]}"""
                    )
                ),
                "tools.0.input_schema"
            )
        );

    [Fact]
    public void A_tool_loop_keeps_its_order_and_its_results_come_first()
    {
        var call = Open(
            """
            {"model":"a","messages":[
              {"role":"user","content":"Weather?"},
              {"role":"assistant","content":null,"tool_calls":[
                {"id":"call_1","type":"function","function":{"name":"w","arguments":"{\"city\":\"Bern\",\"n\":1.0}"}},
                {"id":"functions.w:1","type":"function","function":{"name":"w","arguments":""}}]},
              {"role":"tool","tool_call_id":"call_1","content":"sun"},
              {"role":"tool","tool_call_id":"functions.w:1","content":[{"type":"text","text":"rain"},{"type":"text","text":""}]},
              {"role":"user","content":"And?"}]}
            """
        );

        Translated.Same(
            """
            [{"role":"user","content":[{"type":"text","text":"Weather?"}]},
             {"role":"assistant","content":[
               {"type":"tool_use","id":"call_1","name":"w","input":{"city":"Bern","n":1.0}},
               {"type":"tool_use","id":"functions_w_1","name":"w","input":{}}]},
             {"role":"user","content":[
               {"type":"tool_result","tool_use_id":"call_1","content":"sun"},
               {"type":"tool_result","tool_use_id":"functions_w_1","content":"rain"},
               {"type":"text","text":"And?"}]}]
            """,
            Translated.Member(Translated.BodyOf(call), "messages")
        );
        Assert.Contains("\"n\":1.0", Translated.BodyOf(call), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json", """{"arguments":"not json"}""")]
    [InlineData("[1]", """{"arguments":"[1]"}""")]
    [InlineData("  ", "{}")]
    [InlineData("\\ud83d", """{"arguments":"\ud83d"}""")]
    public void Arguments_that_a_model_got_wrong_are_kept_as_a_text(string arguments, string expected) =>
        Assert.Contains(
            $"\"input\":{expected}",
            Translated.BodyOf(
                Open(
                    $$$"""
                    {"model":"a","messages":[{{{User}}},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{{{arguments}}}"}}]},
                     {"role":"tool","tool_call_id":"c","content":"x"}]}
                    """
                )
            ),
            StringComparison.Ordinal
        );

    [Fact]
    public void Messages_of_one_role_become_one_and_instructions_go_to_the_top()
    {
        var call = Open(
            """
            {"model":"a","messages":[{"role":"developer","content":"One."},{"role":"user","content":"A"},{"role":"system","content":"Two."},
             {"role":"user","content":"B"},{"role":"assistant","content":""},{"role":"user","content":" \n"},{"role":"assistant","content":"C \n\n"}]}
            """
        );

        Translated.Same(
            """
            {"model":"claude-sonnet-4-5","max_tokens":4096,"system":[{"type":"text","text":"One."},{"type":"text","text":"Two."}],
             "messages":[{"role":"user","content":[{"type":"text","text":"A"},{"type":"text","text":"B"}]},
                         {"role":"assistant","content":[{"type":"text","text":"C"}]}]}
            """,
            Translated.BodyOf(call)
        );
        Assert.Empty(call.Unsupported);
    }

    [Fact]
    public void Instructions_alone_are_asked_as_a_user() =>
        Translated.Same(
            """[{"role":"user","content":[{"type":"text","text":"Tell a joke."}]}]""",
            Translated.Member(
                Translated.BodyOf(Open("""{"model":"a","messages":[{"role":"system","content":"Tell a joke."}]}""")),
                "messages"
            )
        );

    [Theory]
    [InlineData(
        """{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBOR\/w0KGgo=","detail":"auto"}}""",
        """{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBOR\/w0KGgo="}}""",
        ""
    )]
    [InlineData(
        """{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}""",
        """{"type":"image","source":{"type":"url","url":"https://example.org/a.png"}}""",
        ""
    )]
    [InlineData(
        """{"type":"image_url","image_url":{"url":"https://example.org/a.png","detail":"high"}}""",
        """{"type":"image","source":{"type":"url","url":"https://example.org/a.png"}}""",
        "messages[0].content[0].image_url.detail"
    )]
    [InlineData(
        """{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}""",
        """{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"title":"a.pdf"}""",
        ""
    )]
    [InlineData(
        """{"type":"file","file":{"filename":"a.txt","file_data":"data:text/plain;base64,SGVsbG8="}}""",
        """{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Hello"},"title":"a.txt"}""",
        ""
    )]
    [InlineData(
        """{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}""",
        """{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}""",
        ""
    )]
    [InlineData(
        """{"type":"image_url","image_url":{"url":"data:image/tiff;base64,AAAA"}}""",
        "absent",
        "messages[0].content[0]"
    )]
    [InlineData("""{"type":"file","file":{"file_id":"file-1"}}""", "absent", "messages[0].content[0]")]
    [InlineData(
        """{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}""",
        "absent",
        "messages[0].content[0]"
    )]
    [InlineData("""{"type":"hologram"}""", "absent", "messages[0].content[0]")]
    public void Parts_are_translated_or_named(string part, string expected, string unsupported)
    {
        var call = Open($$$"""{"model":"a","messages":[{"role":"user","content":[{{{part}}}]}]}""");

        var actual = Translated.Member(Translated.BodyOf(call), "messages.0.content.0");
        if (expected == "absent")
            Assert.Equal(expected, actual);
        else
            Translated.Same(expected, actual);
        Assert.Equal(unsupported, Translated.UnsupportedOf(call));
    }

    [Fact]
    public void A_message_that_nothing_is_left_of_is_left_out()
    {
        const string Sound =
            """{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}""";

        var some = Open($$"""{"model":"a","messages":[{"role":"user","content":"Hi"},{{Sound}}]}""");
        Assert.Contains(
            "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}]}]",
            Translated.BodyOf(some),
            StringComparison.Ordinal
        );
        Assert.Equal("messages[1].content[0]", Translated.UnsupportedOf(some));
        Assert.False(some.HasNothingElse);

        var none = Open($$"""{"model":"a","messages":[{{Sound}}]}""");
        Assert.Equal("messages[0].content[0]", Translated.UnsupportedOf(none));
        Assert.True(none.HasNothingElse);
    }

    [Fact]
    public void Thoughts_come_back_unchanged_with_their_signatures()
    {
        var call = Open(
            """
            {"model":"a","messages":[{"role":"user","content":"Q"},
              {"role":"assistant","content":"A","reasoning_content":"Hm\u0021","reasoning_details":[
                {"type":"reasoning.text","text":"Hm\u0021","signature":"Eq+/=","format":"anthropic-claude-v1","index":0},
                {"type":"reasoning.encrypted","data":"Zm9v","format":"anthropic-claude-v1","index":1},
                {"type":"reasoning.summary","summary":"other","format":"openai-responses-v1","index":2}],
               "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
              {"role":"tool","tool_call_id":"c","content":"x"}]}
            """
        );

        Assert.Contains(
            """{"type":"thinking","thinking":"Hm\u0021","signature":"Eq+/="},{"type":"redacted_thinking","data":"Zm9v"},{"type":"text","text":"A"},{"type":"tool_use","id":"c","name":"f","input":{}}""",
            Translated.BodyOf(call),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("other", Translated.BodyOf(call), StringComparison.Ordinal);
        Assert.Empty(call.Unsupported);
    }

    [Fact]
    public void Thoughts_that_a_client_collected_piece_by_piece_are_one_thought() =>
        Assert.Contains(
            """{"type":"thinking","thinking":"Let me see.","signature":"sig"}""",
            Translated.BodyOf(
                Open(
                    """
                    {"model":"a","messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A","reasoning_details":[
                      {"type":"reasoning.text","text":"Let me","format":"anthropic-claude-v1","index":0},
                      {"type":"reasoning.text","text":" see.","format":"anthropic-claude-v1","index":0},
                      {"type":"reasoning.text","signature":"sig","format":"anthropic-claude-v1","index":0}]}]}
                    """
                )
            ),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("claude-sonnet-4-5", "low", 10_000, """{"type":"enabled","budget_tokens":2000}""", "absent")]
    [InlineData("claude-3-7-sonnet-20250219", "high", 2000, """{"type":"enabled","budget_tokens":1600}""", "absent")]
    [InlineData("claude-haiku-4-5-20251001", "minimal", 2000, """{"type":"enabled","budget_tokens":1024}""", "absent")]
    [InlineData("claude-sonnet-4-5", "none", 2000, "absent", "absent")]
    [InlineData("claude-opus-4-6", "high", 2000, """{"type":"adaptive"}""", """{"effort":"high"}""")]
    [InlineData("anthropic/claude-opus-4.7", "xhigh", 2000, """{"type":"adaptive"}""", """{"effort":"xhigh"}""")]
    [InlineData("claude-opus-5", "minimal", 2000, """{"type":"adaptive"}""", """{"effort":"low"}""")]
    [InlineData("us.anthropic.claude-opus-5-5-v1:0", "none", 2000, """{"type":"disabled"}""", "absent")]
    public void Effort_becomes_what_the_model_takes(
        string model,
        string effort,
        int limit,
        string thinking,
        string config
    )
    {
        var call = Translated.Open(
            Operation.ChatCompletions,
            Operation.Messages,
            $$$"""{"model":"a","messages":[{{{User}}}],"reasoning_effort":"{{{effort}}}","max_tokens":{{{limit}}}}""",
            model
        );

        Assert.Equal(thinking, Translated.Member(Translated.BodyOf(call), "thinking"));
        Assert.Equal(config, Translated.Member(Translated.BodyOf(call), "output_config"));
        Assert.Empty(call.Unsupported);
    }

    [Fact]
    public void A_limit_that_leaves_no_room_to_think_is_named() =>
        Assert.Equal(
            "reasoning_effort",
            Translated.UnsupportedOf(
                Open($$$"""{"model":"a","messages":[{{{User}}}],"reasoning_effort":"low","max_tokens":1024}""")
            )
        );

    [Fact]
    public void A_model_that_takes_no_sampling_is_not_sent_any()
    {
        var call = Translated.Open(
            Operation.ChatCompletions,
            Operation.Messages,
            $$$"""{"model":"a","messages":[{{{User}}}],"temperature":0.2,"top_p":1}""",
            "claude-opus-4-7"
        );

        Assert.Equal("temperature", Translated.UnsupportedOf(call));
        Assert.Equal("absent", Translated.Member(Translated.BodyOf(call), "temperature"));
    }

    [Theory]
    [InlineData("[]", null, null)]
    [InlineData("{", null, null)]
    [InlineData("", null, null)]
    [InlineData("{\"model\":\"a\"}", "messages", "missing_required_parameter")]
    [InlineData("{\"model\":\"a\",\"messages\":{}}", "messages", "invalid_type")]
    [InlineData("{\"model\":\"a\",\"messages\":[1]}", "messages[0]", "invalid_type")]
    [InlineData(
        "{\"model\":\"a\",\"messages\":[{\"content\":\"a\"}]}",
        "messages[0].role",
        "missing_required_parameter"
    )]
    [InlineData("{\"model\":\"a\",\"messages\":[{\"role\":\"pope\"}]}", "messages[0].role", "invalid_value")]
    [InlineData("{\"model\":\"a\",\"messages\":[],\"temperature\":\"hot\"}", "temperature", "invalid_type")]
    [InlineData("{\"model\":\"a\",\"messages\":[],\"max_tokens\":1.5}", "max_tokens", "invalid_type")]
    [InlineData("{\"model\":\"a\",\"messages\":[],\"tool_choice\":\"maybe\"}", "tool_choice", "invalid_value")]
    public void A_request_that_is_wrong_in_itself_is_refused(string body, string? param, string? code)
    {
        var error = Translated.Refusal(Operation.ChatCompletions, Operation.Messages, body);

        Assert.Equal((400, param, code), (error.Status, error.Param, error.Code));
    }

    private static TranslatedCall Open(string body) =>
        Translated.Open(Operation.ChatCompletions, Operation.Messages, body);
}
