using Verbatim.Modules.Gateway.Inferences;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>The settings under <c>Gateway</c>.</summary>
internal sealed class GatewayOptions
{
    /// <summary>The largest request body in bytes.</summary>
    public int MaxRequestBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>The most tries of one call, over all its deployments: 1 to 10.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>How much of each call is kept.</summary>
    public RecordingLevel Recording { get; init; }

    /// <summary>A call whose client has gone is taken to its end and recorded whole, instead of ending it.</summary>
    public bool DrainAbandoned { get; init; }

    /// <summary>Deployments by name.</summary>
    public Dictionary<string, DeploymentOptions> Deployments { get; init; } = new(StringComparer.OrdinalIgnoreCase);
}

/// <summary>The settings under <c>Gateway:Deployments:&lt;name&gt;</c>.</summary>
internal sealed class DeploymentOptions
{
    /// <summary>What stands there: <c>openai-compatible</c>, <c>openai</c>, <c>anthropic</c>, <c>azure-openai</c> …</summary>
    public string Kind { get; init; } = "openai-compatible";

    /// <summary>Azure's <c>api-version</c>.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>Where the provider is, up to and with its version: <c>https://api.openai.com/v1</c>.</summary>
    public string? BaseUrl { get; init; }

    /// <summary>The provider's credential, if it wants one.</summary>
    public string? ApiKey { get; init; }

    /// <summary>The name that callers use; <c>*</c> at the end stands for any rest. The deployment's own name if left out.</summary>
    public string? Model { get; init; }

    /// <summary>The provider's name of the model, if it is another.</summary>
    public string? UpstreamModel { get; init; }

    /// <summary>Ask every stream for its usage; off for a provider that refuses <c>stream_options</c>.</summary>
    public bool StreamUsage { get; init; } = true;

    /// <summary>How long the provider may take to begin its answer.</summary>
    public TimeSpan FirstByteTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long an answer that has begun may pause.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(2);
}
