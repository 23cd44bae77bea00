using System.ClientModel;
using System.ClientModel.Primitives;
using Anthropic;
using Anthropic.Models.Messages;
using Anthropic.Services;
using OpenAI;
using Verbatim.Tests.Integration.Gateway.Conformance;

namespace Verbatim.Tests.Integration.Gateway.Sdks;

/// <summary>The SDKs as an application sets them up: only the address and the key are the gateway's.</summary>
internal static class SdkClients
{
    // Who leaves a stream hangs up at once, and not after the two seconds that .NET gives to what is still to come.
    private static readonly HttpClient Http = new(new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero });

    public static AnthropicClient Anthropic(this ConformanceHost gateway, string? key = null) =>
        new()
        {
            ApiKey = key ?? gateway.ApiKey,
            BaseUrl = gateway.Host.Address.ToString().TrimEnd('/'),
            MaxRetries = 0,
            HttpClient = Http,
            // The SDK then looks at every field of an answer, not only at those that a test reads.
            ResponseValidation = true,
        };

    public static OpenAIClient OpenAi(this ConformanceHost gateway, PipelinePolicy? policy = null)
    {
        var options = new OpenAIClientOptions
        {
            Endpoint = new Uri(gateway.Host.Address, "v1"),
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            Transport = new HttpClientPipelineTransport(Http),
        };
        if (policy is not null)
            options.AddPolicy(policy, PipelinePosition.PerCall);
        return new OpenAIClient(new ApiKeyCredential(gateway.ApiKey), options);
    }

    /// <summary>A whole answer, or what the SDK makes of the stream of one.</summary>
    public static Task<Message> AnswerAsync(
        this IMessageService messages,
        MessageCreateParams asked,
        bool streamed,
        CancellationToken cancellationToken
    ) =>
        streamed
            ? messages.CreateStreaming(asked, cancellationToken).Aggregate()
            : messages.Create(asked, cancellationToken);

    /// <summary>The text of a message.</summary>
    public static string TextOf(this Message message) =>
        string.Concat(message.Content.Select(static b => b.TryPickText(out var text) ? text.Text : ""));

    /// <summary>The calls of tools in a message.</summary>
    public static List<ToolUseBlock> CallsOf(this Message message) =>
        [.. message.Content.Select(static b => b.TryPickToolUse(out var call) ? call : null).OfType<ToolUseBlock>()];
}
