using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Verbatim.Tests.Upstream;

namespace Verbatim.Tests.Unit.Upstream;

/// <summary>Talks to a fake provider as a plain HTTP client, and as a bare socket where framing matters.</summary>
internal static partial class Wire
{
    private static readonly HttpClient Client = new(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        Timeout = TimeSpan.FromSeconds(30),
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>A request with a user's message; <paramref name="more"/> are further fields as JSON.</summary>
    public static string Chat(string more = "", string model = "gpt-fake") =>
        $$"""{"model":"{{model}}","messages":[{"role":"user","content":"Hi"}]{{(more.Length is 0 ? "" : "," + more)}}}""";

    /// <summary>Returns when the headers have arrived.</summary>
    public static Task<HttpResponseMessage> PostAsync(this FakeProvider provider, string body) =>
        provider.PostUntilAsync(body, Cancelled);

    /// <summary>The same, with a token by which the client goes away.</summary>
    public static async Task<HttpResponseMessage> PostUntilAsync(
        this FakeProvider provider,
        string body,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(provider.BaseAddress, "chat/completions"));
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>The same for any path from the host's root, with further headers.</summary>
    public static async Task<HttpResponseMessage> PostAsync(
        this FakeProvider provider,
        string path,
        HttpContent content,
        params (string Name, string Value)[] headers
    ) => await provider.SendAsync(HttpMethod.Post, path, content, headers);

    public static async Task<HttpResponseMessage> SendAsync(
        this FakeProvider provider,
        HttpMethod method,
        string path,
        HttpContent? content = null,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, new Uri(provider.BaseAddress, path));
        request.Content = content;
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
    }

    /// <summary>A body in JSON.</summary>
    public static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    /// <summary>The body of an answer with this status.</summary>
    public static async Task<string> TextAsync(
        this HttpResponseMessage response,
        HttpStatusCode status = HttpStatusCode.OK
    )
    {
        var text = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.True(response.StatusCode == status, $"{response.StatusCode}: {text}");
        return text;
    }

    /// <summary>Named events, with their data.</summary>
    public static List<(string Name, JsonElement Data)> NamedEventsIn(string text)
    {
        Assert.EndsWith("\n\n", text, StringComparison.Ordinal);
        return
        [
            .. text[..^2]
                .Split("\n\n")
                .Select(static block =>
                {
                    var lines = block.Split('\n');
                    Assert.Equal(2, lines.Length);
                    Assert.StartsWith("event: ", lines[0], StringComparison.Ordinal);
                    Assert.StartsWith("data: ", lines[1], StringComparison.Ordinal);
                    return (lines[0]["event: ".Length..], JsonElement.Parse(lines[1]["data: ".Length..]));
                }),
        ];
    }

    public static async Task<HttpResponseMessage> GetAsync(this FakeProvider provider, string path) =>
        await Client.GetAsync(new Uri(provider.BaseAddress, path), Cancelled);

    /// <summary>The body of a 200.</summary>
    public static async Task<string> TextAsync(this FakeProvider provider, string body)
    {
        using var response = await provider.PostAsync(body);
        var text = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.True(response.StatusCode is HttpStatusCode.OK, text);
        return text;
    }

    /// <summary>The body of a 200 as JSON.</summary>
    public static async Task<JsonElement> JsonAsync(this FakeProvider provider, string body) =>
        JsonElement.Parse(await provider.TextAsync(body));

    /// <summary>The data of the events of a 200, the end mark included.</summary>
    public static async Task<string[]> EventsAsync(this FakeProvider provider, string body) =>
        EventsIn(await provider.TextAsync(body));

    /// <summary>The data of events that are framed in the plainest way.</summary>
    public static string[] EventsIn(string text)
    {
        Assert.EndsWith("\n\n", text, StringComparison.Ordinal);
        var events = text[..^2].Split("\n\n");
        Assert.All(events, static e => Assert.StartsWith("data: ", e, StringComparison.Ordinal));
        return [.. events.Select(static e => e["data: ".Length..])];
    }

    /// <summary>The error object of an answer with this status.</summary>
    public static async Task<JsonElement> ErrorAsync(this HttpResponseMessage response, HttpStatusCode status)
    {
        Assert.Equal(status, response.StatusCode);
        var json = await response.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
        return json.GetProperty("error");
    }

    /// <summary>Puts fixed values for what differs on every call.</summary>
    public static string Fixed(string text) =>
        CreatedPattern().Replace(IdPattern().Replace(text, "chatcmpl-ID"), "${field}1");

    /// <summary>
    /// Sends a request over a socket of its own and reads until the server ends the connection, or until
    /// <paramref name="enough"/> is satisfied with what has come.
    /// </summary>
    public static async Task<RawAnswer> RawAsync(
        this FakeProvider provider,
        string body,
        Func<string, bool>? enough = null,
        string path = "/v1/chat/completions",
        string headers = ""
    )
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, provider.BaseAddress.Port, Cancelled);
        var head =
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n";
        await socket.SendAsync(Encoding.UTF8.GetBytes(head + body), Cancelled);

        var received = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (enough is null || !enough(Encoding.UTF8.GetString(received.ToArray())))
        {
            int count;
            try
            {
                count = await socket.ReceiveAsync(buffer, Cancelled);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset)
            {
                return new RawAnswer(Encoding.UTF8.GetString(received.ToArray()), ConnectionEnd.Reset);
            }

            if (count is 0)
                return new RawAnswer(Encoding.UTF8.GetString(received.ToArray()), ConnectionEnd.Closed);
            received.Write(buffer, 0, count);
        }

        return new RawAnswer(Encoding.UTF8.GetString(received.ToArray()), ConnectionEnd.Open);
    }

    [GeneratedRegex("chatcmpl-[0-9a-f]{8}[0-9]{21}(?=\")", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex IdPattern();

    [GeneratedRegex("""(?<field>"created": ?)[0-9]{10}(?=,)""", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CreatedPattern();
}

/// <summary>How the server left a connection.</summary>
public enum ConnectionEnd
{
    Open,
    Closed,
    Reset,
}

/// <summary>An answer as it stood on the wire.</summary>
internal sealed record RawAnswer(string Text, ConnectionEnd End)
{
    private int BodyAt => Text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;

    public string Head => Text[..BodyAt];

    public string Body => Text[BodyAt..];

    /// <summary>The HTTP chunks of the body, without their sizes; a body that breaks off has no empty last one.</summary>
    public List<string> Chunks()
    {
        var bytes = Encoding.UTF8.GetBytes(Body).AsSpan();
        var chunks = new List<string>();
        while (!bytes.IsEmpty)
        {
            var lineEnd = bytes.IndexOf("\r\n"u8);
            var size = int.Parse(
                Encoding.ASCII.GetString(bytes[..lineEnd]),
                System.Globalization.NumberStyles.HexNumber,
                System.Globalization.CultureInfo.InvariantCulture
            );
            bytes = bytes[(lineEnd + 2)..];
            chunks.Add(Encoding.UTF8.GetString(bytes[..size]));
            bytes = bytes[(size + 2)..];
        }

        return chunks;
    }
}
