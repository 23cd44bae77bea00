using System.Net;
using System.Text.Json;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

public sealed class MessageCheckTests(ProviderFixture fixture) : IClassFixture<ProviderFixture>
{
    private const string User = """{"role":"user","content":"Hi"}""";
    private const string Call =
        """{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"f","input":{}}]}""";

    private readonly FakeProvider _provider = fixture.Provider;

    [Theory]
    [InlineData("", "", "x-api-key header is required")]
    [InlineData("authorization", "Basic c2stZmFrZQ==", "Invalid bearer token")]
    public async Task Without_a_key_nobody_is_answered(string header, string value, string message)
    {
        using var response = await _provider.PostAsync(
            "messages",
            Wire.Json(AnthropicWire.Message()),
            header.Length is 0 ? [] : [(header, value)]
        );

        Assert.Equal(
            ("authentication_error", message),
            await response.AnthropicErrorAsync(HttpStatusCode.Unauthorized)
        );
    }

    [Fact]
    public async Task A_bearer_token_is_a_key()
    {
        using var response = await _provider.PostAsync(
            "messages",
            Wire.Json(AnthropicWire.Message()),
            ("authorization", "Bearer sk-fake"),
            ("anthropic-version", "2023-06-01")
        );

        await response.TextAsync();
    }

    [Fact]
    public async Task Without_a_version_nobody_is_answered()
    {
        using var response = await _provider.PostAsync(
            "messages",
            Wire.Json(AnthropicWire.Message()),
            ("x-api-key", "sk-fake")
        );

        Assert.Equal(
            ("invalid_request_error", "anthropic-version: header is required"),
            await response.AnthropicErrorAsync(HttpStatusCode.BadRequest)
        );
    }

    [Theory]
    [InlineData("""{"max_tokens":1,"messages":[]}""", "model: Field required")]
    [InlineData("""{"model":"m","messages":[]}""", "max_tokens: Field required")]
    [InlineData("""{"model":"m","max_tokens":null,"messages":[]}""", "max_tokens: Field required")]
    [InlineData("""{"model":"m","max_tokens":0}""", "max_tokens: Input should be greater than or equal to 1")]
    [InlineData("""{"model":"m","max_tokens":"9"}""", "max_tokens: Input should be a valid integer")]
    [InlineData("""{"model":"m","max_tokens":1}""", "messages: Field required")]
    [InlineData("""{"model":"m","max_tokens":1,"messages":[]}""", "messages: at least one message is required")]
    [InlineData("""{"model":"m","max_tokens":1,"messages":"Hi"}""", "messages: Input should be a valid list")]
    [InlineData("[]", "The request body is not valid JSON")]
    [InlineData("""{"model":""", "The request body is not valid JSON")]
    public async Task What_is_required_is_checked(string body, string message) => await RefusedAsync(body, message);

    [Theory]
    [InlineData("\"frequency_penalty\":0.5", "frequency_penalty: Extra inputs are not permitted")]
    [InlineData("\"response_format\":{\"type\":\"json_object\"}", "response_format: Extra inputs are not permitted")]
    [InlineData("\"temperature\":1.5", "temperature: range: 0..1")]
    [InlineData("\"stream\":\"yes\"", "stream: Input should be a valid boolean")]
    [InlineData("\"stop_sequences\":\"END\"", "stop_sequences: Input should be a valid list")]
    [InlineData("\"stop_sequences\":[\" \"]", "stop_sequences: each stop sequence must contain non-whitespace")]
    [InlineData("\"metadata\":{\"a\":\"b\"}", "metadata.a: Extra inputs are not permitted")]
    [InlineData("\"system\":[{\"type\":\"text\",\"text\":\"\"}]", "system: text content blocks must be non-empty")]
    [InlineData(
        "\"system\":[{\"type\":\"image\"}]",
        "system.0: Input tag 'image' found using 'type' does not match any of the expected tags: 'text'"
    )]
    [InlineData(
        "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]",
        "tools.0: Input tag 'function' found using 'type' does not match any of the expected tags: 'bash_20250124', "
    )]
    [InlineData("\"tools\":[{\"name\":\"f\"}]", "tools.0.custom.input_schema: Field required")]
    [InlineData(
        "\"tools\":[{\"name\":\"a.b\",\"input_schema\":{\"type\":\"object\"}}]",
        "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"
    )]
    [InlineData(
        "\"tools\":[{\"name\":\"f\",\"parameters\":{},\"input_schema\":{\"type\":\"object\"}}]",
        "tools.0.custom.parameters: Extra inputs are not permitted"
    )]
    [InlineData(
        "\"tool_choice\":\"auto\"",
        "tool_choice: Input should be a valid dictionary or object to extract fields from"
    )]
    [InlineData(
        "\"tool_choice\":{\"type\":\"required\"}",
        "tool_choice: Input tag 'required' found using 'type' does not match any of the expected tags: 'any', 'auto', 'none', 'tool'"
    )]
    [InlineData("\"tool_choice\":{\"type\":\"any\"}", "tool_choice: may only be specified while providing tools.")]
    [InlineData(
        "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],\"tool_choice\":{\"type\":\"tool\",\"name\":\"g\"}",
        "Tool 'g' not found in provided tools"
    )]
    [InlineData(
        "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":5}",
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    )]
    [InlineData(
        "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}",
        "`max_tokens` must be greater than `thinking.budget_tokens`. "
    )]
    [InlineData(
        "\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}}}",
        "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
    )]
    [InlineData(
        "\"output_config\":{\"format\":{\"type\":\"json_schema\",\"name\":\"x\",\"schema\":{}}}",
        "output_config.format.name: Extra inputs are not permitted"
    )]
    public async Task Parameters_are_checked(string more, string message) =>
        await RefusedAsync(AnthropicWire.Message(more), message);

    [Theory]
    [InlineData(
        """{"role":"system","content":"x"}""",
        "messages: Unexpected role \"system\". The Messages API accepts"
    )]
    [InlineData("""{"role":"tool","content":"x"}""", "messages: Unexpected role \"tool\". ")]
    [InlineData("""{"role":"user"}""", "messages.0.content: Field required")]
    [InlineData("""{"content":"x"}""", "messages.0.role: Field required")]
    [InlineData("""{"role":"user","content":"x","name":"n"}""", "messages.0.name: Extra inputs are not permitted")]
    [InlineData("""{"role":"assistant","content":"x"}""", "messages: first message must use the \"user\" role")]
    [InlineData("""{"role":"user","content":""}""", "messages: all messages must have non-empty content except")]
    [InlineData("""{"role":"user","content":[{"type":"text","text":""}]}""", "messages: text content blocks must be")]
    [InlineData(
        """{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}""",
        "messages.0.content.0: Input tag 'image_url' found using 'type' does not match any of the expected tags: "
    )]
    [InlineData(
        """{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/bmp","data":"AAAA"}}]}""",
        "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
    )]
    [InlineData(
        """{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"data:x"}}]}""",
        "messages.0.content.0.image.source.base64.data: invalid base64 data"
    )]
    [InlineData(
        """{"role":"user","content":[{"type":"thinking","thinking":"x","signature":"y"}]}""",
        "messages.0.content.0: `thinking` blocks can only be in `assistant` messages"
    )]
    [InlineData(User + """,{"role":"assistant","content":"x "}""", "messages: final assistant content cannot end with")]
    [InlineData(
        User + """,{"role":"assistant","content":[{"type":"thinking","thinking":"x"}]}""",
        "messages.1.content.0.thinking.signature: Field required"
    )]
    [InlineData(
        User + """,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":"{}"}]}""",
        "messages.1.content.0.tool_use.input: Input should be a valid dictionary"
    )]
    [InlineData(
        User + "," + Call,
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each "
    )]
    [InlineData(
        User
            + ","
            + Call
            + """,{"role":"user","content":[{"type":"text","text":"so"},{"type":"tool_result","tool_use_id":"toolu_1"}]}""",
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each "
    )]
    [InlineData(
        """{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_9"}]}""",
        "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_9. Each `tool_result` "
    )]
    public async Task Conversations_are_checked(string messages, string message) =>
        await RefusedAsync(AnthropicWire.Conversation(messages), message);

    [Fact]
    public async Task Everything_that_the_wire_has_is_accepted()
    {
        await _provider.MessageJsonAsync(
            """
            {"model":"claude-fake","max_tokens":4096,"stream":false,"temperature":1,"top_k":5,"stop_sequences":["END"],"metadata":{"user_id":"u"},
            "system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral","ttl":"1h"}}],
            "thinking":{"type":"enabled","budget_tokens":2048},"service_tier":"auto",
            "tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}},"strict":true},{"type":"web_search_20250305","name":"web_search"}],
            "tool_choice":{"type":"auto","disable_parallel_tool_use":true},
            "output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}},
            "messages":[
              {"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}},{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"title":"t","citations":{"enabled":true}},{"type":"text","text":"Look"}]},
              {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"x"},{"type":"text","text":"I call"},{"type":"tool_use","id":"toolu_1","name":"f","input":{}},{"type":"tool_use","id":"toolu_2","name":"f","input":{"a":1}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_2","content":[{"type":"text","text":"ok"}],"is_error":true},{"type":"tool_result","tool_use_id":"toolu_1","content":"ok"},{"type":"text","text":"and?"}]},
              {"role":"user","content":"Go on"}]}
            """
        );
    }

    [Fact]
    public async Task Tokens_are_counted()
    {
        const string Body = """{"model":"claude-fake@usage=details","messages":[{"role":"user","content":"Hi"}]}""";
        using var response = await _provider.PostAsync("messages/count_tokens", Wire.Json(Body), AnthropicWire.Headers);

        Assert.Equal("""{"input_tokens":2006}""", await response.TextAsync());
    }

    [Fact]
    public async Task Counting_takes_no_max_tokens()
    {
        using var response = await _provider.PostAsync(
            "messages/count_tokens",
            Wire.Json(AnthropicWire.Message()),
            AnthropicWire.Headers
        );

        Assert.Equal(
            "max_tokens: Extra inputs are not permitted",
            (await response.AnthropicErrorAsync(HttpStatusCode.BadRequest)).Message
        );
    }

    [Theory]
    [InlineData("models", "claude-fake claude-fake-mini claude-fake-old", false)]
    [InlineData("models?limit=2", "claude-fake claude-fake-mini", true)]
    [InlineData("models?limit=2&after_id=claude-fake-mini", "claude-fake-old", false)]
    [InlineData("models?limit=1&before_id=claude-fake-old", "claude-fake-mini", true)]
    [InlineData("models?after_id=claude-fake-old", "", false)]
    public async Task Models_come_in_pages(string path, string ids, bool hasMore)
    {
        using var response = await _provider.SendAsync(HttpMethod.Get, path, null, AnthropicWire.Headers);
        var page = JsonElement.Parse(await response.TextAsync());

        var found = page.GetProperty("data")
            .EnumerateArray()
            .Select(static m => m.GetProperty("id").GetString()!)
            .ToList();
        Assert.Equal(ids, string.Join(' ', found));
        Assert.Equal(hasMore, page.GetProperty("has_more").GetBoolean());
        Assert.Equal(found.FirstOrDefault(), page.GetProperty("first_id").GetString());
        Assert.Equal(found.LastOrDefault(), page.GetProperty("last_id").GetString());
    }

    [Fact]
    public async Task Without_a_version_models_are_openais()
    {
        using var response = await _provider.GetAsync("models");

        Assert.Equal("list", JsonElement.Parse(await response.TextAsync()).GetProperty("object").GetString());
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        using var model = await _provider.SendAsync(HttpMethod.Get, "models/nothing", null, AnthropicWire.Headers);
        using var url = await _provider.SendAsync(HttpMethod.Get, "messages/nothing", null, AnthropicWire.Headers);
        using var method = await _provider.SendAsync(HttpMethod.Get, "messages", null, AnthropicWire.Headers);

        Assert.Equal(("not_found_error", "model: nothing"), await model.AnthropicErrorAsync(HttpStatusCode.NotFound));
        Assert.Equal(("not_found_error", "Not Found"), await url.AnthropicErrorAsync(HttpStatusCode.NotFound));
        Assert.Equal("Method Not Allowed", (await method.AnthropicErrorAsync(HttpStatusCode.MethodNotAllowed)).Message);
    }

    private async Task RefusedAsync(string body, string message)
    {
        using var response = await _provider.MessageAsync(body);

        var (type, found) = await response.AnthropicErrorAsync(HttpStatusCode.BadRequest);
        Assert.Equal("invalid_request_error", type);
        Assert.StartsWith(message, found, StringComparison.Ordinal);
    }
}
