using System.Net;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Inferences;

namespace Verbatim.Tests.Integration.Gateway.Responses;

public sealed class ResponseTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private const string Path = "/v1/responses";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // One provider that keeps responses, one that knows chats only, one that speaks Anthropic's wire.
    [Theory]
    [InlineData("keeps-responses")]
    [InlineData("gpt-fake")]
    [InlineData("claude-fake")]
    public async Task A_response_is_made_read_again_gone_on_from_and_deleted(string model)
    {
        var first = await AskAsync($$"""{"model":"{{model}}","input":"My name is Ada."}""");
        var id = first["id"]!.GetValue<string>();
        Assert.Equal("completed", first["status"]!.GetValue<string>());

        var again = await ReadAsync($"{Path}/{id}");
        Assert.True(JsonNode.DeepEquals(first, again));
        var items = (await ReadAsync($"{Path}/{id}/input_items"))["data"]!.AsArray();
        Assert.Equal("My name is Ada.", Assert.Single(items)!["content"]![0]!["text"]!.GetValue<string>());

        var second = await AskAsync($$"""{"model":"{{model}}","input":"Who am I?","previous_response_id":"{{id}}"}""");
        Assert.NotEqual(id, second["id"]!.GetValue<string>());
        Assert.Equal(id, second["previous_response_id"]!.GetValue<string>());

        using var client = gateway.Host.As(gateway.ApiKey);
        using (var deleted = await client.DeleteAsync($"{Path}/{id}", Cancellation))
            Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        using (var twice = await client.DeleteAsync($"{Path}/{id}", Cancellation))
            Assert.Equal(HttpStatusCode.NotFound, twice.StatusCode);
        using var gone = await client.GetAsync($"{Path}/{id}", Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task Another_providers_response_is_gone_on_from_with_all_that_was_said()
    {
        var marker = Guid.NewGuid().ToString();
        var first = await AskAsync($$"""{"model":"claude-fake","input":"First {{marker}}"}""");
        var second = await AskAsync(
            $$"""{"model":"gpt-fake","input":"Second","previous_response_id":"{{first["id"]}}"}"""
        );
        var third = await AskAsync(
            $$"""{"model":"keeps-responses","input":"Third","previous_response_id":"{{second["id"]}}"}"""
        );

        Assert.Equal("completed", third["status"]!.GetValue<string>());
        // What was written out for the provider is still what the caller went on from.
        Assert.Equal(first["id"]!.GetValue<string>(), second["previous_response_id"]!.GetValue<string>());
        Assert.Equal(second["id"]!.GetValue<string>(), third["previous_response_id"]!.GetValue<string>());
        var last = JsonNode.Parse(gateway.Provider.Requests.Of(marker)[^1].BodyText)!;
        Assert.Null(last["previous_response_id"]);
        Assert.Equal(
            ["user", "assistant", "user", "assistant", "user"],
            last["input"]!.AsArray().Select(i => i!["role"]!.GetValue<string>())
        );
    }

    [Fact]
    public async Task A_response_of_somebody_else_or_of_nobody_is_not_there()
    {
        var mine = (await AskAsync("""{"model":"gpt-fake","input":"Hello"}"""))["id"]!.GetValue<string>();
        using var client = await gateway.Host.AsNewAsync("user", Cancellation);

        foreach (var id in (string[])[mine, "resp_nobody", "%E2%82%AC", new string('x', 500)])
        {
            using var read = await client.GetAsync($"{Path}/{id}", Cancellation);
            Assert.Equal(HttpStatusCode.NotFound, read.StatusCode);
        }
        using var body = new StringContent(
            $$"""{"model":"gpt-fake","input":"x","previous_response_id":"{{mine}}"}""",
            System.Text.Encoding.UTF8,
            "application/json"
        );
        using var going = await client.PostAsync(Path, body, Cancellation);
        var error = JsonNode.Parse(await going.Content.ReadAsStringAsync(Cancellation))!["error"]!;
        Assert.Equal(HttpStatusCode.BadRequest, going.StatusCode);
        Assert.Equal("previous_response_not_found", error["code"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_is_not_to_be_stored_is_not_found_again()
    {
        var id = (await AskAsync("""{"model":"gpt-fake","input":"Hello","store":false}"""))["id"]!.GetValue<string>();

        using var client = gateway.Host.As(gateway.ApiKey);
        using var read = await client.GetAsync($"{Path}/{id}", Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, read.StatusCode);
    }

    [Theory]
    [InlineData("keeps-responses")]
    [InlineData("gpt-fake")]
    [InlineData("claude-fake")]
    public async Task A_stream_ends_with_the_response_that_is_read_again(string model)
    {
        using var response = await gateway.PostAsync(
            $$"""{"model":"{{model}}","input":"Hello","stream":true}""",
            Cancellation,
            path: Path
        );
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        var last = JsonNode.Parse(text.TrimEnd().Split("\n\n")[^1].Split("\ndata: ")[1])!;

        Assert.Equal("response.completed", last["type"]!.GetValue<string>());
        var inference = await gateway.InferenceAsync(response, Cancellation);
        Assert.Equal(InferenceStatus.Completed, inference.Status);
        Assert.NotNull(inference.Usage);
        var again = await ReadAsync($"{Path}/{last["response"]!["id"]}");
        Assert.True(JsonNode.DeepEquals(last["response"], again));
    }

    [Theory]
    [InlineData("keeps-responses")]
    [InlineData("gpt-fake")]
    [InlineData("claude-fake")]
    public async Task A_streams_responses_say_what_they_go_on_from(string model)
    {
        // Made elsewhere, so that the conversation is written out for each of them.
        var other = model == "gpt-fake" ? "claude-fake" : "gpt-fake";
        var first = (await AskAsync($$"""{"model":"{{other}}","input":"First"}"""))["id"]!.GetValue<string>();
        using var response = await gateway.PostAsync(
            $$"""{"model":"{{model}}","input":"Second","stream":true,"previous_response_id":"{{first}}"}""",
            Cancellation,
            path: Path
        );
        var responses = (await response.Content.ReadAsStringAsync(Cancellation))
            .TrimEnd()
            .Split("\n\n")
            .Select(e => JsonNode.Parse(e.Split("\ndata: ")[1])!["response"])
            .OfType<JsonNode>()
            .ToList();

        Assert.True(responses.Count >= 3);
        Assert.All(responses, r => Assert.Equal(first, r["previous_response_id"]!.GetValue<string>()));
        Assert.True(JsonNode.DeepEquals(responses[^1], await ReadAsync($"{Path}/{responses[^1]["id"]}")));
    }

    private async Task<JsonNode> AskAsync(string body)
    {
        using var response = await gateway.PostAsync(body, Cancellation, path: Path);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }

    private async Task<JsonNode> ReadAsync(string path)
    {
        using var client = gateway.Host.As(gateway.ApiKey);
        return JsonNode.Parse(await client.GetStringAsync(path, Cancellation))!;
    }
}
