using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

/// <summary>Talks to a fake provider as a client of Anthropic would.</summary>
internal static partial class AnthropicWire
{
    public static readonly (string, string)[] Headers = [("x-api-key", "sk-fake"), ("anthropic-version", "2023-06-01")];

    /// <summary>A request with a user's message; <paramref name="more"/> are further fields as JSON.</summary>
    public static string Message(string more = "", string model = "claude-fake") =>
        $$"""{"model":"{{model}}","max_tokens":1024,"messages":[{"role":"user","content":"Hi"}]{{(more.Length is 0 ? "" : "," + more)}}}""";

    /// <summary>A request with these messages, as JSON.</summary>
    public static string Conversation(string messages) =>
        $$"""{"model":"claude-fake","max_tokens":1024,"messages":[{{messages}}]}""";

    public static Task<HttpResponseMessage> MessageAsync(this FakeProvider provider, string body) =>
        provider.PostAsync("messages", Wire.Json(body), Headers);

    public static async Task<JsonElement> MessageJsonAsync(this FakeProvider provider, string body)
    {
        using var response = await provider.MessageAsync(body);
        return JsonElement.Parse(await response.TextAsync());
    }

    public static async Task<List<(string Name, JsonElement Data)>> MessageEventsAsync(
        this FakeProvider provider,
        string body
    )
    {
        using var response = await provider.MessageAsync(body);
        return Wire.NamedEventsIn(await response.TextAsync());
    }

    /// <summary>The error of an answer with this status, whose id its header has too.</summary>
    public static async Task<(string Type, string Message)> AnthropicErrorAsync(
        this HttpResponseMessage response,
        HttpStatusCode status
    )
    {
        var json = JsonElement.Parse(await response.TextAsync(status));
        Assert.Equal("error", json.GetProperty("type").GetString());
        Assert.Equal(
            Assert.Single(response.Headers.GetValues("request-id")),
            json.GetProperty("request_id").GetString()
        );
        var error = json.GetProperty("error");
        return (error.GetProperty("type").GetString()!, error.GetProperty("message").GetString()!);
    }

    /// <summary>Puts fixed values for what differs on every call.</summary>
    public static string Fixed(string text) => IdPattern().Replace(text, "${kind}_ID");

    [GeneratedRegex("(?<kind>msg|toolu)_[0-9a-f]{24}(?=\")", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex IdPattern();
}
