using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway;

public sealed class MessageThreadTests(ConformanceHost gateway) : IClassFixture<ConformanceHost>
{
    private const string Details = """{"error_code":"thread_unsupported_request","unsupported":["thread"]}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("anthropic", "messages", """ "thread":{"type":"create"} """)]
    [InlineData("anthropic", "messages", """ "thread":{"type":"continue","previous_message_id":"msg_1"} """)]
    [InlineData("anthropic", "messages", """ "\u0074hread":{"type":"create"} """)]
    [InlineData("anthropic", "messages", """ "thread":null,"thread":7 """)]
    [InlineData("anthropic", "messages/count_tokens", """ "thread":{"type":"create"} """)]
    [InlineData("openai", "messages", """ "thread":{"type":"create"},"stream":true """)]
    [InlineData("openai-compatible", "messages/count_tokens", """ "thread":{"type":"create"} """)]
    public async Task A_thread_is_refused_as_clients_that_can_do_without_understand(
        string kind,
        string path,
        string member
    )
    {
        var marker = Guid.NewGuid().ToString();

        var (status, answer) = await AskAsync(kind, path, marker, member);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("error", answer["type"]!.GetValue<string>());
        var error = answer["error"]!;
        Assert.Equal("invalid_request_error", error["type"]!.GetValue<string>());
        Assert.StartsWith("'thread' is not taken here", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(Details, error["details"]!.ToJsonString());
        Assert.Empty(gateway.Provider.Requests.Of(marker));
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("openai")]
    public async Task A_thread_that_is_null_is_none(string kind)
    {
        var (status, answer) = await AskAsync(kind, "messages", "hello", """ "thread":null """);

        Assert.True(status == HttpStatusCode.OK, answer.ToJsonString());
    }

    private async Task<(HttpStatusCode Status, JsonNode Answer)> AskAsync(
        string kind,
        string path,
        string text,
        string member
    )
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        using var content = new StringContent(
            $$"""{"model":"{{ConformanceHost.Model(kind)}}","max_tokens":100,"messages":[{"role":"user","content":"{{text}}"}],{{member}}}""",
            Encoding.UTF8,
            "application/json"
        );
        using var answer = await client.PostAsync($"/v1/{path}", content, Cancellation);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!);
    }
}
