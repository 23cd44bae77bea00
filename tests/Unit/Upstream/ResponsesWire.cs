using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

/// <summary>Talks to a fake provider as a client of OpenAI's responses would.</summary>
internal static partial class ResponsesWire
{
    /// <summary>A request with a user's input; <paramref name="more"/> are further fields as JSON.</summary>
    public static string Request(string more = "") =>
        $$"""{"model":"gpt-fake","input":"Hi"{{(more.Length is 0 ? "" : "," + more)}}}""";

    /// <summary>The id of the response that a text is or has.</summary>
    public static string IdOf(string text) => ResponseIdPattern().Match(text).Value;

    /// <summary>Puts fixed values for what differs on every call.</summary>
    public static string Fixed(string text) =>
        TimePattern().Replace(IdPattern().Replace(text, "${kind}_ID"), "${field}1");

    public static void AssertNumbered(List<(string Name, JsonElement Data)> events) =>
        Assert.All(
            events,
            static (e, index) =>
            {
                Assert.Equal(index, e.Data.GetProperty("sequence_number").GetInt32());
                Assert.Equal(e.Name, e.Data.GetProperty("type").GetString());
            }
        );

    public static Task<HttpResponseMessage> RespondAsync(this FakeProvider provider, string body) =>
        provider.PostAsync("responses", Wire.Json(body));

    public static async Task<string> ResponseTextAsync(this FakeProvider provider, string body)
    {
        using var response = await provider.RespondAsync(body);
        return await response.TextAsync();
    }

    public static async Task<JsonElement> ResponseAsync(this FakeProvider provider, string body) =>
        JsonElement.Parse(await provider.ResponseTextAsync(body));

    public static async Task<JsonElement> GetJsonAsync(this FakeProvider provider, string path)
    {
        using var response = await provider.GetAsync(path);
        return JsonElement.Parse(await response.TextAsync());
    }

    public static async Task ResponseRefusedAsync(this FakeProvider provider, string body, string message)
    {
        using var response = await provider.RespondAsync(body);
        var error = await response.ErrorAsync(HttpStatusCode.BadRequest);
        Assert.StartsWith(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [GeneratedRegex(
        "(?<kind>resp(?=_[0-9a-f]{48})|msg|rs|fc)_[0-9a-f]{46}(?:(?<=resp_[0-9a-f]{46})[0-9]{2})?",
        RegexOptions.None,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex IdPattern();

    [GeneratedRegex("resp_[0-9a-f]{48}", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ResponseIdPattern();

    [GeneratedRegex(
        """(?<field>"(?:created|completed)_at": ?)[0-9]{10}(?=,)""",
        RegexOptions.None,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex TimePattern();
}
