using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>The way to one provider: its address, its credential, and the connections to it.</summary>
/// <param name="settings">What it is.</param>
/// <param name="credential">Sent as its kind wants it, or null for a provider that wants none.</param>
/// <param name="handler">Sends; shared by all requests.</param>
internal sealed class Provider(ProviderSettings settings, string? credential, HttpMessageHandler handler) : IDisposable
{
    /// <summary>The version of Anthropic's API that is spoken to it where the caller names none.</summary>
    private const string AnthropicVersion = "2023-06-01";

    private const string UserAgent = "Verbatim/0.1";

    private readonly HttpMessageInvoker _invoker = new(handler, disposeHandler: true);
    private readonly AuthenticationHeaderValue? _bearer = credential is null ? null : new("Bearer", credential);

    // Azure's addresses name the model; the others are few.
    private readonly ConcurrentDictionary<Operation, Uri> _addresses = new();

    /// <summary>What it is.</summary>
    public ProviderSettings Settings => settings;

    /// <summary>What it was given as its credential.</summary>
    public string? Credential => credential;

    /// <summary>What kind it is.</summary>
    public ProviderKind Kind => settings.Kind;

    /// <summary>What sends to it; disposed of once nothing holds this provider any more.</summary>
    public HttpMessageHandler Handler => handler;

    /// <summary>Connections to a provider over the network. They are renewed, so that a change of its addresses is noticed.</summary>
    /// <param name="connectTimeout">How long a connection may take.</param>
    /// <param name="allowPrivate">They may lead to this machine or a private network.</param>
    public static HttpMessageHandler OverNetwork(TimeSpan connectTimeout, bool allowPrivate) =>
        new SocketsHttpHandler
        {
            ConnectCallback = allowPrivate ? null : PublicAddresses.ConnectAsync,
            AllowAutoRedirect = false,
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            UseCookies = false,
            ConnectTimeout = connectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            EnableMultipleHttp2Connections = true,
            // A provider is told nothing about the caller's traces.
            ActivityHeadersPropagator = null,
        };

    /// <summary>Asks for an operation; returns when the head of the answer is there.</summary>
    public Task<HttpResponseMessage> AskAsync(
        Operation operation,
        string model,
        HttpContent body,
        string contentType,
        IHeaderDictionary? callerHeaders,
        CancellationToken cancellationToken
    )
    {
        body.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return SendAsync(
            new HttpRequestMessage(HttpMethod.Post, AddressOf(operation, model)) { Content = body },
            callerHeaders,
            cancellationToken
        );
    }

    /// <summary>Sends a request that is complete but for the credential; returns when the head of the answer is there.</summary>
    public Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        IHeaderDictionary? callerHeaders,
        CancellationToken cancellationToken
    )
    {
        ForwardedHeaders.Copy(callerHeaders, request.Headers);
        Authorize(request.Headers);
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        return _invoker.SendAsync(request, cancellationToken);
    }

    /// <summary>Where an operation of it is.</summary>
    /// <param name="path">The path below the version: <c>chat/completions</c>.</param>
    /// <param name="model">The provider's name of the model, which Azure has in its path.</param>
    public Uri AddressOf(string path, string model) =>
        Kind switch
        {
            ProviderKind.AzureOpenAi when path.StartsWith("responses", StringComparison.Ordinal) => new Uri(
                $"{settings.BaseUrl}/openai/v1/{path}?api-version={settings.ApiVersion}"
            ),
            // Files belong to the resource, not to a deployment (Azure OpenAI's REST reference, "Files").
            ProviderKind.AzureOpenAi when path.StartsWith("files", StringComparison.Ordinal) => new Uri(
                $"{settings.BaseUrl}/openai/{path}?api-version={settings.ApiVersion}"
            ),
            ProviderKind.AzureOpenAi => new Uri(
                $"{settings.BaseUrl}/openai/deployments/{Uri.EscapeDataString(model)}/{path}?api-version={settings.ApiVersion}"
            ),
            _ => new Uri($"{settings.BaseUrl}/{path}"),
        };

    public void Dispose() => _invoker.Dispose();

    private Uri AddressOf(Operation operation, string model) =>
        Kind == ProviderKind.AzureOpenAi
            ? AddressOf(PathOf(operation), model)
            : _addresses.GetOrAdd(operation, static (asked, p) => p.AddressOf(PathOf(asked), ""), this);

    private static string PathOf(Operation operation) =>
        operation switch
        {
            Operation.ChatCompletions => "chat/completions",
            Operation.Responses => "responses",
            Operation.Messages => "messages",
            Operation.CountTokens => "messages/count_tokens",
            Operation.Embeddings => "embeddings",
            Operation.Completions => "completions",
            Operation.Moderations => "moderations",
            Operation.Speech => "audio/speech",
            Operation.Transcriptions => "audio/transcriptions",
            Operation.AudioTranslations => "audio/translations",
            Operation.ImageGenerations => "images/generations",
            Operation.ImageEdits => "images/edits",
            Operation.ImageVariations => "images/variations",
            _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "Not an operation."),
        };

    private void Authorize(HttpRequestHeaders headers)
    {
        if (Kind == ProviderKind.Anthropic && !headers.Contains("anthropic-version"))
            headers.TryAddWithoutValidation("anthropic-version", AnthropicVersion);
        if (credential is null)
            return;
        switch (Kind)
        {
            case ProviderKind.Anthropic:
                headers.TryAddWithoutValidation("x-api-key", credential);
                break;
            case ProviderKind.AzureOpenAi:
                headers.TryAddWithoutValidation("api-key", credential);
                break;
            default:
                headers.Authorization = _bearer;
                break;
        }
    }
}

/// <summary>What a provider is, its credential left out.</summary>
/// <param name="Id">The provider's id.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Kind">What kind it is.</param>
/// <param name="BaseUrl">Where it is, up to and with its version, without a slash at the end; for Azure the resource's address.</param>
/// <param name="ApiVersion">Azure's <c>api-version</c>.</param>
/// <param name="ConnectTimeout">How long a connection to it may take.</param>
internal sealed record ProviderSettings(
    Guid Id,
    string Name,
    ProviderKind Kind,
    string BaseUrl,
    string? ApiVersion,
    TimeSpan ConnectTimeout
)
{
    /// <summary>What is waited for a connection unless the settings say otherwise.</summary>
    public static readonly TimeSpan DefaultConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>As administrators have decided.</summary>
    public static ProviderSettings Of(Guid id, ProviderTerms terms) =>
        new(
            id,
            terms.Name,
            ProviderKinds.Find(terms.Kind)
                ?? throw new InvalidOperationException($"There is no provider of the kind '{terms.Kind}'."),
            terms.BaseUrl,
            terms.ApiVersion,
            terms.ConnectTimeout
        );
}
