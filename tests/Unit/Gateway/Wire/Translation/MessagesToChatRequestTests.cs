using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

/// <summary>A caller of Anthropic's messages whose model is asked by chat completions.</summary>
public sealed class MessagesToChatRequestTests
{
    private const string User = """{"role":"user","content":"Hi"}""";

    [Fact]
    public void Everything_that_both_wires_can_say_is_said()
    {
        var call = Open(
            """
            {"model":"fast","max_tokens":100,"system":[{"type":"text","text":"One.","cache_control":{"type":"ephemeral"}},{"type":"text","text":"Two."}],
             "messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],"stream":true,"temperature":0.50,"top_p":0.9,"stop_sequences":["END"],
             "tools":[{"name":"find","description":"Finds.","input_schema":{"type":"object"},"strict":true,"cache_control":{"type":"ephemeral"}},
                      {"type":"custom","name":"g","input_schema":{"type":"object"}}],
             "tool_choice":{"type":"any","disable_parallel_tool_use":true},"service_tier":"standard_only","metadata":{"user_id":"u-1"},
             "thinking":{"type":"enabled","budget_tokens":5000},
             "output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}}
            """
        );

        Translated.Same(
            """
            {"model":"gpt-5","messages":[{"role":"system","content":[{"type":"text","text":"One."},{"type":"text","text":"Two."}]},{"role":"user","content":"Hi"}],
             "max_completion_tokens":100,"stream":true,"stream_options":{"include_usage":true},"temperature":0.50,"top_p":0.9,"stop":["END"],
             "tools":[{"type":"function","function":{"name":"find","description":"Finds.","parameters":{"type":"object"},"strict":true}},
                      {"type":"function","function":{"name":"g","parameters":{"type":"object"}}}],
             "parallel_tool_calls":false,"tool_choice":"required",
             "response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":true}},
             "reasoning_effort":"medium","user":"u-1","service_tier":"default"}
            """,
            Translated.BodyOf(call)
        );
        Assert.Empty(call.Unsupported);
    }

    [Theory]
    [InlineData("\"top_k\":5", "top_k")]
    [InlineData("\"container\":\"c\"", "container")]
    [InlineData("\"mcp_servers\":[]", "mcp_servers")]
    [InlineData("\"speed\":\"fast\"", "speed")]
    [InlineData("\"context_management\":{\"edits\":[]}", "context_management")]
    [InlineData("\"metadata\":{\"user_id\":\"a\",\"x\":1}", "metadata.x")]
    [InlineData("\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}]", "tools[0]")]
    [InlineData("\"tools\":[{\"name\":\"a\",\"input_schema\":{},\"defer_loading\":true}]", "tools[0].defer_loading")]
    [InlineData("\"thinking\":{\"type\":\"adaptive\",\"display\":\"omitted\"}", "thinking.display")]
    [InlineData("\"zeta\":0", "zeta")]
    public void What_chat_completions_cannot_do_is_named(string member, string names) =>
        Assert.Equal(
            names,
            Translated.UnsupportedOf(Open($$"""{"model":"a","max_tokens":9,"messages":[{{User}}],{{member}}}"""))
        );

    [Fact]
    public void A_name_that_openai_would_refuse_is_named() =>
        Assert.Equal(
            "tools[0].name",
            Translated.UnsupportedOf(
                Open(
                    """{"model":"a","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"NAME","input_schema":{}}]}""".Replace(
                        "NAME",
                        new string('a', 65),
                        StringComparison.Ordinal
                    )
                )
            )
        );

    [Theory]
    [InlineData("\"cache_control\":{\"type\":\"ephemeral\"}")]
    [InlineData("\"speed\":\"standard\"")]
    [InlineData("\"thinking\":{\"type\":\"disabled\"}")]
    [InlineData("\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"}")]
    [InlineData("\"service_tier\":\"auto\"")]
    [InlineData("\"metadata\":{}")]
    [InlineData("\"stop_sequences\":[]")]
    [InlineData("\"container\":null")]
    public void What_asks_for_the_default_is_no_complaint(string member) =>
        Assert.Empty(Open($$"""{"model":"a","max_tokens":9,"messages":[{{User}}],{{member}}}""").Unsupported);

    [Fact]
    public void A_tool_loop_becomes_messages_of_the_role_tool_before_what_the_user_says()
    {
        var call = Open(
            """
            {"model":"a","max_tokens":9,"messages":[
              {"role":"user","content":"Weather?"},
              {"role":"assistant","content":[{"type":"thinking","thinking":"Hm","signature":"vb1.content||"},{"type":"text","text":"I look."},
                {"type":"tool_use","id":"toolu_1","name":"w","input":{"city": "Bern", "n":1.0}},{"type":"tool_use","id":"toolu_2","name":"w","input":{}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"sun"},
                {"type":"tool_result","tool_use_id":"toolu_2","is_error":true,"content":[{"type":"text","text":"gone"}]},{"type":"text","text":"And?"}]}]}
            """
        );

        Translated.Same(
            """
            [{"role":"user","content":"Weather?"},
             {"role":"assistant","content":"I look.","reasoning_content":"Hm","tool_calls":[
               {"id":"toolu_1","type":"function","function":{"name":"w","arguments":"{\"city\": \"Bern\", \"n\":1.0}"}},
               {"id":"toolu_2","type":"function","function":{"name":"w","arguments":"{}"}}]},
             {"role":"tool","tool_call_id":"toolu_1","content":"sun"},
             {"role":"tool","tool_call_id":"toolu_2","content":[{"type":"text","text":"The tool failed:"},{"type":"text","text":"gone"}]},
             {"role":"user","content":"And?"}]
            """,
            Translated.Member(Translated.BodyOf(call), "messages")
        );
        Assert.Empty(call.Unsupported);
    }

    [Fact]
    public void Thoughts_of_anthropics_are_not_sent_to_others()
    {
        var call = Open(
            """
            {"model":"a","max_tokens":9,"messages":[{"role":"user","content":"Q"},
             {"role":"assistant","content":[{"type":"thinking","thinking":"secret","signature":"Eq=="},{"type":"redacted_thinking","data":"Zm9v"},
               {"type":"tool_use","id":"t","name":"f","input":{}}]},
             {"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}]}
            """
        );

        Assert.DoesNotContain("secret", Translated.BodyOf(call), StringComparison.Ordinal);
        Assert.Equal("\"\"", Translated.Member(Translated.BodyOf(call), "messages.2.content"));
        Assert.Empty(call.Unsupported);
    }

    [Theory]
    [InlineData(
        """{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO\/Rw="}}""",
        """{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO\/Rw="}}""",
        ""
    )]
    [InlineData(
        """{"type":"image","source":{"type":"url","url":"https://example.org/a.png"}}""",
        """{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}""",
        ""
    )]
    [InlineData(
        """{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"},"title":"a.pdf"}""",
        """{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}}""",
        ""
    )]
    [InlineData(
        """{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Hello"},"title":"t","context":"c","citations":{"enabled":true}}""",
        """{"type":"text","text":"Hello"}""",
        "messages[0].content[1].context messages[0].content[1].citations.enabled messages[0].content[1].title"
    )]
    [InlineData(
        """{"type":"document","source":{"type":"url","url":"https://example.org/a.pdf"}}""",
        "absent",
        "messages[0].content[1]"
    )]
    [InlineData(
        """{"type":"document","source":{"type":"file","file_id":"file_1"}}""",
        "absent",
        "messages[0].content[1]"
    )]
    [InlineData("""{"type":"image","source":{"type":"file","file_id":"file_1"}}""", "absent", "messages[0].content[1]")]
    [InlineData(
        """{"type":"search_result","source":"a","title":"b","content":[]}""",
        "absent",
        "messages[0].content[1]"
    )]
    [InlineData("""{"type":"container_upload","file_id":"a"}""", "absent", "messages[0].content[1]")]
    public void Blocks_are_translated_or_named(string block, string expected, string unsupported)
    {
        var call = Open(
            $$"""{"model":"a","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"a"},{{block}},{"type":"text","text":"b"}]}]}"""
        );

        if (expected == "absent")
            expected = """{"type":"text","text":"b"}""";
        Translated.Same(expected, Translated.Member(Translated.BodyOf(call), "messages.0.content.1"));
        Assert.Equal(unsupported, Translated.UnsupportedOf(call));
    }

    [Fact]
    public void A_picture_in_the_result_of_a_tool_is_named() =>
        Assert.Equal(
            "messages[0].content[0].content[1]",
            Translated.UnsupportedOf(
                Open(
                    """
                    {"model":"a","max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[
                      {"type":"text","text":"see"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]}]}]}
                    """
                )
            )
        );

    [Fact]
    public void A_system_message_in_the_middle_stays_there() =>
        Translated.Same(
            """[{"role":"user","content":"A"},{"role":"system","content":"Now briefly."},{"role":"user","content":"B"}]""",
            Translated.Member(
                Translated.BodyOf(
                    Open(
                        """{"model":"a","max_tokens":9,"messages":[{"role":"user","content":"A"},{"role":"system","content":"Now briefly."},{"role":"user","content":"B"}]}"""
                    )
                ),
                "messages"
            )
        );

    [Theory]
    [InlineData("gpt-5", "max_completion_tokens")]
    [InlineData("openai/o4-mini", "max_completion_tokens")]
    [InlineData("gpt-oss:20b", "max_tokens")]
    [InlineData("llama3.2", "max_tokens")]
    [InlineData("deepseek-chat", "max_tokens")]
    public void The_limit_has_the_name_that_the_server_knows(string model, string name) =>
        Assert.Equal(
            "9",
            Translated.Member(
                Translated.BodyOf(
                    Translated.Open(
                        Operation.Messages,
                        Operation.ChatCompletions,
                        $$"""{"model":"a","max_tokens":9,"messages":[{{User}}]}""",
                        model
                    )
                ),
                name
            )
        );

    [Theory]
    [InlineData("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000}", "\"low\"")]
    [InlineData("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":30000}", "\"high\"")]
    [InlineData("\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{\"effort\":\"max\"}", "\"max\"")]
    [InlineData("\"thinking\":{\"type\":\"adaptive\"}", "absent")]
    [InlineData("\"thinking\":{\"type\":\"disabled\"}", "absent")]
    public void Thinking_becomes_an_effort(string member, string effort) =>
        Assert.Equal(
            effort,
            Translated.Member(
                Translated.BodyOf(Open($$"""{"model":"a","max_tokens":9,"messages":[{{User}}],{{member}}}""")),
                "reasoning_effort"
            )
        );

    [Fact]
    public void A_long_user_id_is_sent_as_its_hash()
    {
        var user = Translated.Member(
            Translated.BodyOf(
                Open(
                    $$$"""{"model":"a","max_tokens":9,"messages":[{{{User}}}],"metadata":{"user_id":"{{{new string('u', 65)}}}"} }"""
                )
            ),
            "user"
        );

        Assert.Matches("^\"[0-9a-f]{64}\"$", user);
    }

    [Theory]
    [InlineData("{\"model\":\"a\",\"messages\":[]}", "max_tokens", "missing_required_parameter")]
    [InlineData("{\"model\":\"a\",\"max_tokens\":1}", "messages", "missing_required_parameter")]
    [InlineData(
        "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\"}]}",
        "messages[0].content",
        "missing_required_parameter"
    )]
    [InlineData(
        "{\"max_tokens\":1,\"messages\":[{\"role\":\"tool\",\"content\":\"\"}]}",
        "messages[0].role",
        "invalid_value"
    )]
    [InlineData(
        "{\"max_tokens\":1,\"messages\":[],\"tool_choice\":{\"type\":\"x\"}}",
        "tool_choice.type",
        "invalid_value"
    )]
    public void A_request_that_is_wrong_in_itself_is_refused(string body, string param, string code)
    {
        var error = Translated.Refusal(Operation.Messages, Operation.ChatCompletions, body);

        Assert.Equal((400, param, code), (error.Status, error.Param, error.Code));
    }

    private static TranslatedCall Open(string body) =>
        Translated.Open(Operation.Messages, Operation.ChatCompletions, body, "gpt-5");
}
