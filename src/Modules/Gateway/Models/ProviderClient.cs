using System.Net.Http.Headers;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>The way to one provider: its address, its credential, and the connections to it.</summary>
/// <param name="handler">Sends; shared by all requests.</param>
/// <param name="baseAddress">Ends with a slash: <c>https://api.openai.com/v1/</c>.</param>
/// <param name="apiKey">Sent as a bearer token, or null for a provider that wants none.</param>
internal sealed class ProviderClient(HttpMessageHandler handler, Uri baseAddress, string? apiKey) : IDisposable
{
    private static readonly ProductInfoHeaderValue UserAgent = new("Verbatim", "0.1");

    private readonly HttpMessageInvoker _invoker = new(handler, disposeHandler: true);
    private readonly Uri _chatCompletions = new(baseAddress, "chat/completions");
    private readonly AuthenticationHeaderValue? _authorization = apiKey is null
        ? null
        : new AuthenticationHeaderValue("Bearer", apiKey);

    /// <summary>Connections to a provider over the network. They are renewed, so that a change of its addresses is noticed.</summary>
    public static HttpMessageHandler OverNetwork() =>
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            EnableMultipleHttp2Connections = true,
            // A provider is told nothing about the caller's traces.
            ActivityHeadersPropagator = null,
        };

    /// <summary>Sends a chat-completions request; returns when the head of the answer is there.</summary>
    public Task<HttpResponseMessage> SendChatAsync(ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var content = new ReadOnlyMemoryContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, _chatCompletions) { Content = content };
        request.Headers.Authorization = _authorization;
        request.Headers.UserAgent.Add(UserAgent);
        return _invoker.SendAsync(request, cancellationToken);
    }

    public void Dispose() => _invoker.Dispose();
}
