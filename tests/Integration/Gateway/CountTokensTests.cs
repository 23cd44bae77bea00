using System.Net;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Inferences;

namespace Verbatim.Tests.Integration.Gateway;

public sealed class CountTokensTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private const string Path = "/v1/messages/count_tokens";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_can_count_is_asked()
    {
        using var response = await CountAsync("claude-fake");

        Assert.Equal(19, (await BodyAsync(response))["input_tokens"]!.GetValue<long>());
        Assert.False(response.Headers.Contains("x-verbatim-estimated"));
    }

    [Theory]
    [InlineData("gpt-fake")]
    [InlineData("keeps-responses")]
    [InlineData("simulator")]
    public async Task For_who_cannot_the_gateway_estimates_and_says_so(string model)
    {
        using var response = await CountAsync(model);
        var tokens = (await BodyAsync(response))["input_tokens"]!.GetValue<long>();

        // "Be brief." and "Hello, how are you?", with what stands around messages.
        Assert.InRange(tokens, 12, 24);
        Assert.Equal("true", response.Headers.GetValues("x-verbatim-estimated").Single());
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal((InferenceStatus.Completed, true), (inference.Status, inference.Usage!.Estimated));
        Assert.Empty(inference.Attempts!);
        Assert.Null(inference.Cost);
        Assert.Contains(
            tokens.ToString(System.Globalization.CultureInfo.InvariantCulture),
            System.Text.Encoding.UTF8.GetString(inference.Response!.Value.Utf8.Span),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task What_is_no_message_is_refused_as_there()
    {
        using var response = await gateway.PostAsync("""{"model":"gpt-fake"}""", Cancellation, path: Path);
        var error = (await BodyAsync(response))["error"]!;

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("invalid_request_error", error["type"]!.GetValue<string>());
        Assert.Contains("messages", error["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_begins_with_an_estimate_and_ends_with_what_the_provider_counted()
    {
        using var response = await gateway.PostAsync(
            """{"model":"gpt-fake","max_tokens":99,"stream":true,"system":"Be brief.","messages":[{"role":"user","content":"Hello, how are you?"}]}""",
            Cancellation,
            path: "/v1/messages"
        );
        var events = (await response.Content.ReadAsStringAsync(Cancellation))
            .Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(e => JsonNode.Parse(e[(e.IndexOf("data: ", StringComparison.Ordinal) + 6)..])!)
            .ToList();

        Assert.InRange(events[0]["message"]!["usage"]!["input_tokens"]!.GetValue<long>(), 12, 24);
        var last = events.Single(e => e["type"]!.GetValue<string>() == "message_delta");
        Assert.Equal(19, last["usage"]!["input_tokens"]!.GetValue<long>());
    }

    private Task<HttpResponseMessage> CountAsync(string model) =>
        gateway.PostAsync(
            $$"""{"model":"{{model}}","system":"Be brief.","messages":[{"role":"user","content":"Hello, how are you?"}]}""",
            Cancellation,
            path: Path
        );

    private static async Task<JsonNode> BodyAsync(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!;
}
