using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

/// <summary>Requests from and to OpenAI's responses.</summary>
public sealed class ResponsesRequestTests
{
    private const string Full = """
        {"model":"fast","instructions":"Be brief.","input":[
           {"role":"user","content":[{"type":"input_text","text":"Look"},{"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"auto"}]},
           {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm"}],"encrypted_content":"vb1.thinking||Eq+/="},
           {"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"I look.","annotations":[],"logprobs":[]}]},
           {"type":"function_call","id":"fc_1","call_id":"call_1","name":"w","arguments":"{\"a\": 1}","status":"completed"},
           {"type":"function_call_output","call_id":"call_1","output":"sun"}],
         "max_output_tokens":100,"temperature":0.5,"tools":[{"type":"function","name":"w","description":"d","parameters":{"type":"object"},"strict":false}],
         "tool_choice":{"type":"function","name":"w"},"parallel_tool_calls":false,"store":false,"include":["reasoning.encrypted_content"],
         "text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true},"verbosity":"medium"},
         "reasoning":{"effort":"none"},"safety_identifier":"u","metadata":{"a":"b"},"truncation":"disabled","background":false,"previous_response_id":null}
        """;

    [Fact]
    public void A_response_is_asked_by_messages()
    {
        var call = Translated.Open(Operation.Responses, Operation.Messages, Full);

        Translated.Same(
            """
            {"model":"claude-sonnet-4-5","max_tokens":100,"system":"Be brief.","messages":[
              {"role":"user","content":[{"type":"text","text":"Look"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},
              {"role":"assistant","content":[{"type":"thinking","thinking":"Hm","signature":"Eq+/="},{"type":"text","text":"I look."},
                {"type":"tool_use","id":"call_1","name":"w","input":{"a":1}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"sun"}]}],
             "temperature":0.5,"tools":[{"name":"w","description":"d","input_schema":{"type":"object"}}],
             "tool_choice":{"type":"tool","name":"w","disable_parallel_tool_use":true},
             "output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}},"metadata":{"user_id":"u"}}
            """,
            Translated.BodyOf(call)
        );
        Assert.Empty(call.Unsupported);
    }

    [Fact]
    public void A_response_is_asked_by_chat_completions()
    {
        var call = Translated.Open(Operation.Responses, Operation.ChatCompletions, Full, "llama3.2");

        Translated.Same(
            """
            {"model":"llama3.2","messages":[{"role":"system","content":"Be brief."},
              {"role":"user","content":[{"type":"text","text":"Look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},
              {"role":"assistant","content":"I look.","tool_calls":[{"id":"call_1","type":"function","function":{"name":"w","arguments":"{\"a\": 1}"}}]},
              {"role":"tool","tool_call_id":"call_1","content":"sun"}],
             "max_tokens":100,"temperature":0.5,
             "tools":[{"type":"function","function":{"name":"w","description":"d","parameters":{"type":"object"},"strict":false}}],
             "parallel_tool_calls":false,"tool_choice":{"type":"function","function":{"name":"w"}},
             "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}},
             "reasoning_effort":"none","verbosity":"medium","user":"u"}
            """,
            Translated.BodyOf(call)
        );
        Assert.Empty(call.Unsupported);
    }

    [Fact]
    public void A_chat_is_asked_by_responses()
    {
        var call = Translated.Open(
            Operation.ChatCompletions,
            Operation.Responses,
            """
            {"model":"fast","messages":[{"role":"developer","content":"Be brief."},
              {"role":"user","content":[{"type":"text","text":"Look"},{"type":"image_url","image_url":{"url":"https://example.org/a.png","detail":"low"}},
                {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}}]},
              {"role":"assistant","content":"I look.","reasoning_details":[
                 {"type":"reasoning.summary","summary":"Hm","id":"rs_1","format":"openai-responses-v1","index":0},
                 {"type":"reasoning.encrypted","data":"gAAA","id":"rs_1","format":"openai-responses-v1","index":0}],
               "tool_calls":[{"id":"call_1","type":"function","function":{"name":"w","arguments":"{}"}}]},
              {"role":"tool","tool_call_id":"call_1","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}],
             "max_completion_tokens":1,"logprobs":true,"top_logprobs":2,"stream":true,
             "tools":[{"type":"function","function":{"name":"w"}}],"tool_choice":"required","reasoning_effort":"low",
             "response_format":{"type":"json_object"},"prompt_cache_key":"k","store":true,"metadata":{"a":"b"}}
            """,
            "gpt-5"
        );

        Translated.Same(
            """
            {"model":"gpt-5","input":[{"role":"system","content":"Be brief."},
              {"role":"user","content":[{"type":"input_text","text":"Look"},{"type":"input_image","image_url":"https://example.org/a.png","detail":"low"},
                {"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}]},
              {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm"}],"encrypted_content":"gAAA"},
              {"type":"message","role":"assistant","content":[{"type":"output_text","text":"I look."}]},
              {"type":"function_call","call_id":"call_1","name":"w","arguments":"{}"},
              {"type":"function_call_output","call_id":"call_1","output":[{"type":"input_text","text":"a"},{"type":"input_text","text":"b"}]}],
             "max_output_tokens":16,"stream":true,"store":true,"top_logprobs":2,"include":["reasoning.encrypted_content","message.output_text.logprobs"],
             "tools":[{"type":"function","name":"w","parameters":{"type":"object","properties":{}},"strict":false}],"tool_choice":"required",
             "text":{"format":{"type":"json_object"}},"reasoning":{"effort":"low","summary":"auto"},"metadata":{"a":"b"},"prompt_cache_key":"k"}
            """,
            Translated.BodyOf(call)
        );
        Assert.Empty(call.Unsupported);
    }

    [Fact]
    public void Messages_are_asked_by_responses()
    {
        var call = Translated.Open(
            Operation.Messages,
            Operation.Responses,
            """
            {"model":"fast","max_tokens":100,"system":"Be brief.","stop_sequences":["x"],"top_k":1,"messages":[
              {"role":"assistant","content":[{"type":"thinking","thinking":"Hm","signature":"vb1.item|rs_1|gAAA"},{"type":"thinking","thinking":"own","signature":"Eq="},
                {"type":"tool_use","id":"t","name":"f","input":{"a":1}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},
                {"type":"document","source":{"type":"url","url":"https://example.org/a.pdf"}}]}]}
            """,
            "gpt-4o"
        );

        Translated.Same(
            """
            {"model":"gpt-4o","input":[{"role":"system","content":"Be brief."},
              {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm"}],"encrypted_content":"gAAA"},
              {"type":"function_call","call_id":"t","name":"f","arguments":"{\"a\":1}"},
              {"type":"function_call_output","call_id":"t","output":[{"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"auto"}]},
              {"role":"user","content":[{"type":"input_file","file_url":"https://example.org/a.pdf"}]}],
             "max_output_tokens":100,"store":false}
            """,
            Translated.BodyOf(call)
        );
        Assert.Equal("top_k stop_sequences", Translated.UnsupportedOf(call));
    }

    [Theory]
    [InlineData("\"previous_response_id\":\"resp_1\"", "previous_response_id")]
    [InlineData("\"conversation\":\"c\"", "conversation")]
    [InlineData("\"background\":true", "background")]
    [InlineData("\"truncation\":\"auto\"", "truncation")]
    [InlineData("\"prompt\":{\"id\":\"p\"}", "prompt")]
    [InlineData("\"max_tool_calls\":3", "max_tool_calls")]
    [InlineData("\"include\":[\"web_search_call.results\"]", "include[0]")]
    [InlineData("\"include\":[\"message.output_text.logprobs\"]", "include[0]")]
    [InlineData("\"tools\":[{\"type\":\"web_search\"}]", "tools[0]")]
    [InlineData("\"tools\":[{\"type\":\"custom\",\"name\":\"a\"}]", "tools[0]")]
    [InlineData("\"top_logprobs\":1", "top_logprobs")]
    [InlineData("\"reasoning\":{\"context\":\"all_turns\"}", "reasoning.context")]
    public void What_messages_cannot_do_is_named(string member, string names) =>
        Assert.Equal(
            names,
            Translated.UnsupportedOf(
                Translated.Open(Operation.Responses, Operation.Messages, $$"""{"model":"a","input":"Hi",{{member}}}""")
            )
        );

    [Theory]
    [InlineData("""{"type":"item_reference","id":"a"}""", "input[0]")]
    [InlineData("""{"type":"web_search_call","id":"a"}""", "input[0]")]
    [InlineData("""{"role":"user","content":[{"type":"input_image","file_id":"f"}]}""", "input[0].content[0]")]
    public void Items_that_messages_do_not_have_are_named(string item, string names) =>
        Assert.Equal(
            names,
            Translated.UnsupportedOf(
                Translated.Open(Operation.Responses, Operation.Messages, $$"""{"model":"a","input":[{{item}}]}""")
            )
        );

    [Theory]
    [InlineData("{\"model\":\"a\"}", "input", "missing_required_parameter")]
    [InlineData("{\"input\":5}", "input", "invalid_type")]
    [InlineData("{\"input\":[5]}", "input[0]", "invalid_type")]
    [InlineData("{\"input\":[{}]}", "input[0].type", "missing_required_parameter")]
    [InlineData("{\"input\":[{\"role\":\"pope\",\"content\":\"\"}]}", "input[0].role", "invalid_value")]
    public void A_request_that_is_wrong_in_itself_is_refused(string body, string param, string code)
    {
        var error = Translated.Refusal(Operation.Responses, Operation.Messages, body);

        Assert.Equal((400, param, code), (error.Status, error.Param, error.Code));
    }
}
