using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Verbatim.Tests.Integration.Gateway.Responses;

/// <summary>Responses in the background, as a client sees them.</summary>
internal static class Background
{
    public const string ResponsesPath = "/v1/responses";
    public const string Hello = "Hello! How can I assist you today?";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static string Body(string model, string input, bool stream = false, string? previous = null) =>
        new JsonObject
        {
            ["model"] = model,
            ["input"] = input,
            ["background"] = true,
            ["stream"] = stream,
            ["previous_response_id"] = previous,
        }.ToJsonString();

    public static async Task<HttpResponseMessage> PostAsync(HttpClient client, string path, string body = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        if (body.Length > 0)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
    }

    public static async Task<JsonNode> CreateAsync(HttpClient client, string body)
    {
        using var created = await PostAsync(client, ResponsesPath, body);
        return await ReadAsync(created, HttpStatusCode.OK);
    }

    public static async Task<JsonNode> GetAsync(HttpClient client, string id)
    {
        using var response = await client.GetAsync($"{ResponsesPath}/{id}", Cancellation);
        return await ReadAsync(response, HttpStatusCode.OK);
    }

    public static async Task<JsonNode> CancelAsync(HttpClient client, string id)
    {
        using var response = await PostAsync(client, $"{ResponsesPath}/{id}/cancel");
        return await ReadAsync(response, HttpStatusCode.OK);
    }

    /// <summary>The error that an answer is.</summary>
    public static async Task<JsonNode> RefusedAsync(Task<HttpResponseMessage> answer, HttpStatusCode status)
    {
        using var response = await answer;
        return (await ReadAsync(response, status))["error"]!;
    }

    /// <summary>Asks until it has ended, as OpenAI's guide tells clients to.</summary>
    public static async Task<JsonNode> EndedAsync(HttpClient client, string id)
    {
        while (true)
        {
            var response = await GetAsync(client, id);
            if (StatusOf(response) is not ("queued" or "in_progress"))
                return response;
            await Task.Delay(20, Cancellation);
        }
    }

    public static string IdOf(JsonNode response) => response["id"]!.GetValue<string>();

    public static string StatusOf(JsonNode response) => response["status"]!.GetValue<string>();

    public static string TextOf(JsonNode response) =>
        string.Concat(
            response["output"]!
                .AsArray()
                .Where(i => i!["type"]!.GetValue<string>() == "message")
                .SelectMany(i => i!["content"]!.AsArray())
                .Select(c => c!["text"]!.GetValue<string>())
        );

    /// <summary>The events of a stream, one by one.</summary>
    public static async IAsyncEnumerable<JsonNode> EventsAsync(HttpResponseMessage response)
    {
        Assert.True(
            response.StatusCode == HttpStatusCode.OK,
            response.IsSuccessStatusCode ? "" : await response.Content.ReadAsStringAsync(Cancellation)
        );
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        var name = "";
        while (await reader.ReadLineAsync(Cancellation) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                name = line[7..];
            if (!line.StartsWith("data: ", StringComparison.Ordinal))
                continue;
            var data = JsonNode.Parse(line[6..])!;
            Assert.Equal(name, data["type"]!.GetValue<string>());
            yield return data;
        }
    }

    public static async Task<HttpResponseMessage> FollowAsync(HttpClient client, string id, int? after = null) =>
        await client.GetAsync(
            after is null
                ? $"{ResponsesPath}/{id}?stream=true"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{ResponsesPath}/{id}?stream=true&starting_after={after}"
                ),
            HttpCompletionOption.ResponseHeadersRead,
            Cancellation
        );

    public static async Task<List<JsonNode>> AllAsync(HttpClient client, string id, int? after = null)
    {
        using var response = await FollowAsync(client, id, after);
        return await EventsAsync(response).ToListAsync(Cancellation);
    }

    public static int NumberOf(JsonNode @event) => @event["sequence_number"]!.GetValue<int>();

    public static string TypeOf(JsonNode @event) => @event["type"]!.GetValue<string>();

    /// <summary>What the deltas of events add up to.</summary>
    public static string Said(IEnumerable<JsonNode> events) =>
        string.Concat(
            events.Where(e => TypeOf(e) == "response.output_text.delta").Select(e => e["delta"]!.GetValue<string>())
        );

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == status, $"{(int)response.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }
}
