using System.Net;
using System.Text.Json;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class ChatExtrasTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private const string User = """{"role":"user","content":"Hi"}""";
    private const string Call =
        """{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}""";

    private readonly FakeProvider _provider = fixture.Provider;

    [Theory]
    [InlineData("", "reasoning_content")]
    [InlineData(",\"reasoning_as\":\"reasoning\"", "reasoning")]
    public async Task Reasoning_comes_before_the_text_and_is_counted(string more, string field)
    {
        var commands = $"\"x_upstream\":{{\"text\":\"Hi\",\"reasoning\":\"So so.\"{more}}}";
        var answer = await _provider.JsonAsync(Wire.Chat(commands));
        var deltas = Deltas(await _provider.EventsAsync(Wire.Chat("\"stream\":true," + commands)));

        Assert.Equal("So so.", answer.GetProperty("choices")[0].GetProperty("message").GetProperty(field).GetString());
        Assert.Equal(3, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal(
            2,
            answer
                .GetProperty("usage")
                .GetProperty("completion_tokens_details")
                .GetProperty("reasoning_tokens")
                .GetInt32()
        );
        Assert.Equal([$$"""{"{{field}}":"So"}""", $$"""{"{{field}}":" so."}""", """{"content":"Hi"}"""], deltas[1..4]);
    }

    [Fact]
    public async Task A_refusal_takes_the_place_of_the_text()
    {
        const string Commands = "\"x_upstream\":{\"refusal\":\"I will not.\"}";
        var answer = await _provider.JsonAsync(Wire.Chat(Commands));
        var deltas = Deltas(await _provider.EventsAsync(Wire.Chat("\"stream\":true," + Commands)));

        Assert.Equal(
            """{"role":"assistant","content":null,"refusal":"I will not.","annotations":[]}""",
            Compact(answer.GetProperty("choices")[0].GetProperty("message"))
        );
        Assert.Equal(
            [
                """{"role":"assistant","content":null,"refusal":null}""",
                """{"refusal":"I"}""",
                """{"refusal":" will"}""",
                """{"refusal":" not."}""",
                "{}",
            ],
            deltas
        );
    }

    [Theory]
    [InlineData("\"logprobs\":true,\"x_upstream\":{\"text\":\"Hi you\"}")]
    [InlineData("\"x_upstream\":{\"text\":\"Hi you\",\"logprobs\":true}")]
    public async Task Logprobs_come_for_every_piece(string more)
    {
        var answer = await _provider.JsonAsync(Wire.Chat(more));
        var events = await _provider.EventsAsync(Wire.Chat("\"stream\":true," + more));

        var whole = answer.GetProperty("choices")[0].GetProperty("logprobs");
        Assert.Equal(
            """{"content":[{"token":"Hi","logprob":-0.25,"bytes":[72,105],"top_logprobs":[]},{"token":" you","logprob":-0.25,"bytes":[32,121,111,117],"top_logprobs":[]}],"refusal":null}""",
            Compact(whole)
        );
        var pieces = events[..^1]
            .Select(static e => JsonElement.Parse(e).GetProperty("choices")[0].GetProperty("logprobs"))
            .ToList();
        Assert.Equal("null", pieces[0].GetRawText());
        Assert.Equal(" you", pieces[2].GetProperty("content")[0].GetProperty("token").GetString());
    }

    [Fact]
    public async Task What_is_spoken_comes_with_its_words()
    {
        const string Commands = "\"x_upstream\":{\"text\":\"Hi you\",\"audio\":true}";
        var answer = await _provider.JsonAsync(Wire.Chat(Commands));
        var deltas = Deltas(await _provider.EventsAsync(Wire.Chat("\"stream\":true," + Commands)));

        var message = answer.GetProperty("choices")[0].GetProperty("message");
        Assert.Equal(JsonValueKind.Null, message.GetProperty("content").ValueKind);
        Assert.Equal("Hi you", message.GetProperty("audio").GetProperty("transcript").GetString());
        Assert.Equal("Hi you"u8.ToArray(), message.GetProperty("audio").GetProperty("data").GetBytesFromBase64());
        Assert.Equal(
            [
                """{"audio":{"id":"audio_fake"}}""",
                """{"audio":{"transcript":"Hi"}}""",
                """{"audio":{"data":"SGk="}}""",
                """{"audio":{"transcript":" you"}}""",
            ],
            deltas[1..5]
        );
    }

    [Fact]
    public async Task Unknown_events_and_other_tiers_come_on_command()
    {
        var events = await _provider.EventsAsync(
            Wire.Chat("\"stream\":true,\"x_upstream\":{\"unknown_after\":1,\"service_tier\":\"flex\"}")
        );

        Assert.Equal("""{"object":"chat.completion.future","future":"?"}""", events[1]);
        Assert.Equal("flex", JsonElement.Parse(events[0]).GetProperty("service_tier").GetString());
    }

    [Fact]
    public async Task What_means_nothing_for_a_completion_is_refused()
    {
        await RefusedAsync(
            Wire.Chat("\"x_upstream\":{\"signature\":\"x\"}"),
            "The command 'signature' means nothing for a chat completion."
        );
    }

    [Theory]
    [InlineData("\"thinking\":{}", "Unknown parameter: 'thinking'.")]
    [InlineData("\"temperature\":3", "Invalid 'temperature': decimal above maximum value. ")]
    [InlineData("\"stream_options\":{}", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")]
    [InlineData("\"max_tokens\":1,\"max_completion_tokens\":1", "Setting 'max_tokens' and 'max_completion_tokens' ")]
    [InlineData("\"tools\":[{\"name\":\"f\",\"input_schema\":{}}]", "Missing required parameter: 'tools[0].type'.")]
    [InlineData(
        "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]",
        "Invalid 'tools[0].function.name': string does not match pattern. "
    )]
    [InlineData("\"tool_choice\":\"auto\"", "Invalid value for 'tool_choice': 'tool_choice' is only allowed when ")]
    [InlineData(
        "\"response_format\":{\"type\":\"json_schema\",\"schema\":{}}",
        "Unknown parameter: 'response_format.schema'."
    )]
    [InlineData(
        "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{}}}",
        "Missing required parameter: 'response_format.json_schema.name'."
    )]
    [InlineData(
        "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"strict\":true,\"schema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}}}",
        "Invalid schema for response_format 'n': In context=(), 'additionalProperties' is required to be supplied and to be false."
    )]
    [InlineData(
        "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"strict\":true,\"schema\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"a\":{\"type\":\"string\"}}}}}",
        "Invalid schema for response_format 'n': In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'a'."
    )]
    public async Task Strictly_parameters_are_checked(string more, string message) =>
        await RefusedAsync(Wire.Chat(more, "gpt-fake@strict"), message);

    [Theory]
    [InlineData("", "Invalid 'messages': empty array. ")]
    [InlineData("""{"role":"model","content":"x"}""", "Invalid value: 'model'. Supported values are: 'system', ")]
    [InlineData("""{"role":"user"}""", "Missing required parameter: 'messages[0].content'.")]
    [InlineData("""{"role":"user","content":[{"type":"image","source":{}}]}""", "Invalid value: 'image'. ")]
    [InlineData(
        """{"role":"user","content":[{"type":"image_url","image_url":"x"}]}""",
        "Invalid type for 'messages[0].content[0].image_url': expected an object, "
    )]
    [InlineData(
        """{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,%"}}]}""",
        "Invalid base64 image_url."
    )]
    [InlineData(
        """{"role":"tool","tool_call_id":"c","content":"x"}""",
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
    )]
    [InlineData(
        User + "," + Call,
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: c"
    )]
    [InlineData(
        User + "," + Call + "," + User,
        "An assistant message with 'tool_calls' must be followed by tool messages "
    )]
    [InlineData(User + """,{"role":"assistant","content":[{"type":"tool_use"}]}""", "Invalid value: 'tool_use'. ")]
    [InlineData(User + """,{"role":"assistant"}""", "Invalid value for 'content': expected a string, got null.")]
    public async Task Strictly_messages_are_checked(string messages, string message) =>
        await RefusedAsync($$"""{"model":"gpt-fake@strict","messages":[{{messages}}]}""", message);

    [Fact]
    public async Task Strictly_everything_that_the_wire_has_is_accepted()
    {
        await _provider.TextAsync(
            """
            {"model":"gpt-fake","x_upstream":{"strict":true},"stream":true,"stream_options":{"include_usage":true},"temperature":0.5,"max_completion_tokens":100,"reasoning_effort":"low","logprobs":true,"top_logprobs":2,"stop":["END"],"parallel_tool_calls":false,"metadata":{"a":"b"},"user":"u",
            "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}},"strict":true}}],
            "tool_choice":{"type":"function","function":{"name":"f"}},
            "response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}},
            "messages":[
              {"role":"system","content":"Be brief."},
              {"role":"user","name":"n","content":[{"type":"text","text":"Look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"low"}},{"type":"image_url","image_url":{"url":"https://example.com/a.png"}},{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0=","filename":"a.pdf"}}]},
              {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"f","arguments":"{}"}}]},
              {"role":"tool","tool_call_id":"c2","content":"ok"},{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"ok"}]},
              {"role":"assistant","content":"So","refusal":null},{"role":"developer","content":"Go"},{"role":"user","content":"on"}]}
            """
        );
    }

    private static List<string> Deltas(string[] events) =>
        [
            .. events[..^1]
                .Select(static e => JsonElement.Parse(e).GetProperty("choices")[0].GetProperty("delta").GetRawText()),
        ];

    private static string Compact(JsonElement json) => JsonSerializer.Serialize(json);

    private async Task RefusedAsync(string body, string message)
    {
        using var response = await _provider.PostAsync(body);
        var error = await response.ErrorAsync(HttpStatusCode.BadRequest);
        Assert.StartsWith(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }
}
