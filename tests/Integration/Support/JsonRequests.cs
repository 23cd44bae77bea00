using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Verbatim.Tests.Integration.Support;

/// <summary>Requests to the native API whose status is known beforehand.</summary>
internal static class JsonRequests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static Task<JsonNode> GetJsonAsync(
        this HttpClient client,
        string path,
        HttpStatusCode expected = HttpStatusCode.OK
    ) => client.SendJsonAsync(HttpMethod.Get, path, body: null, expected);

    public static Task<JsonNode> PostJsonAsync(
        this HttpClient client,
        string path,
        object? body,
        HttpStatusCode expected = HttpStatusCode.Created
    ) => client.SendJsonAsync(HttpMethod.Post, path, body, expected);

    public static Task<JsonNode> PatchJsonAsync(
        this HttpClient client,
        string path,
        object body,
        HttpStatusCode expected = HttpStatusCode.OK,
        string? ifMatch = null
    ) => client.SendJsonAsync(HttpMethod.Patch, path, body, expected, ifMatch);

    /// <summary>The body of the answer; an empty object when it has none. Its entity tag is under <c>$etag</c>.</summary>
    public static async Task<JsonNode> SendJsonAsync(
        this HttpClient client,
        HttpMethod method,
        string path,
        object? body,
        HttpStatusCode expected,
        string? ifMatch = null
    )
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = JsonContent.Create(body);
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        using var response = await client.SendAsync(request, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == expected, $"{method} {path}: {(int)response.StatusCode} {text}");
        var node = text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
        if (node is JsonObject json && response.Headers.ETag is { } tag)
            json["$etag"] = tag.ToString();
        return node;
    }

    /// <summary>Asserts that a request is refused with this code.</summary>
    public static async Task RefusedAsync(
        this HttpClient client,
        HttpMethod method,
        string path,
        object? body,
        HttpStatusCode expected,
        string code,
        string? ifMatch = null
    )
    {
        var problem = await client.SendJsonAsync(method, path, body, expected, ifMatch);
        Assert.Equal(code, problem["code"]!.GetValue<string>());
    }

    /// <summary>
    /// Asks until the status is this one, and asserts that no request that was sent later than a second after <paramref name="change"/> is
    /// still answered otherwise.
    /// </summary>
    /// <param name="client">Who asks.</param>
    /// <param name="path">What is asked.</param>
    /// <param name="expected">What is answered in the end.</param>
    /// <param name="change">The time stamp of the change's answer.</param>
    public static async Task WithinASecondAsync(
        this HttpClient client,
        string path,
        HttpStatusCode expected,
        long change
    )
    {
        while (true)
        {
            var sent = TimeProvider.System.GetElapsedTime(change);
            using var response = await client.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
            if (response.StatusCode == expected)
                return;
            Assert.True(
                sent <= TimeSpan.FromSeconds(1),
                $"GET {path} was answered with {(int)response.StatusCode} although it was sent {sent.TotalMilliseconds:0} ms after the change."
            );
            await Task.Delay(20, Cancellation);
        }
    }
}
