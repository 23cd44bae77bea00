using Verbatim.Modules.Gateway.Inferences;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>The settings under <c>Gateway</c>.</summary>
internal sealed class GatewayOptions
{
    /// <summary>The largest request body in bytes.</summary>
    public int MaxRequestBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>The largest file that may be sent to a provider, in bytes.</summary>
    public long MaxFileBytes { get; init; } = 512 * 1024 * 1024;

    /// <summary>A file in tiktoken's format that texts are counted by; null to estimate them.</summary>
    public string? Vocabulary { get; init; }

    /// <summary>The most tries of one call, over all its deployments: 1 to 10.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>How much of each call is kept, where an organization does not say otherwise.</summary>
    public RecordingLevel Recording { get; init; }

    /// <summary>A call whose client has gone is taken to its end and recorded whole, instead of ending it.</summary>
    public bool DrainAbandoned { get; init; }

    /// <summary>Providers may be on this machine or in a private network.</summary>
    public bool AllowPrivateAddresses { get; init; } = true;

    /// <summary>Where the first start looks for a local Ollama; empty: it does not look.</summary>
    public string OllamaUrl { get; init; } = "http://127.0.0.1:11434";

    /// <summary>Providers by name.</summary>
    public Dictionary<string, ProviderOptions> Providers { get; init; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Deployments by name.</summary>
    public Dictionary<string, DeploymentOptions> Deployments { get; init; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Models by name.</summary>
    public Dictionary<string, ModelOptions> Models { get; init; } = new(StringComparer.OrdinalIgnoreCase);
}

/// <summary>The settings under <c>Gateway:Providers:&lt;name&gt;</c>.</summary>
internal class ProviderOptions
{
    /// <summary>What stands there: <c>openai-compatible</c>, <c>openai</c>, <c>anthropic</c>, <c>azure-openai</c> …</summary>
    public string Kind { get; init; } = "openai-compatible";

    /// <summary>Azure's <c>api-version</c>.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>Where the provider is, up to and with its version: <c>https://api.openai.com/v1</c>.</summary>
    public string? BaseUrl { get; init; }

    /// <summary>The provider's credential, if it wants one.</summary>
    public string? ApiKey { get; init; }

    /// <summary>How long a connection to it may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>
/// The settings under <c>Gateway:Deployments:&lt;name&gt;</c>. It names its provider, or has the settings of one that is its own.
/// </summary>
internal sealed class DeploymentOptions : ProviderOptions
{
    /// <summary>The provider's name; without one the deployment's own settings say where it is.</summary>
    public string? Provider { get; init; }

    /// <summary>The name that callers use; <c>*</c> at the end stands for any rest. The deployment's own name if left out.</summary>
    public string? Model { get; init; }

    /// <summary>The provider's name of the model, if it is another.</summary>
    public string? UpstreamModel { get; init; }

    /// <summary>Its share of the calls among deployments of the same model.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Ask every stream for its usage; off for a provider that refuses <c>stream_options</c>.</summary>
    public bool StreamUsage { get; init; } = true;

    /// <summary>How long the provider may take to begin its answer.</summary>
    public TimeSpan FirstByteTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long an answer that has begun may pause.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long one try may take in all.</summary>
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The most calls at once from one instance.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>How many calls may wait for one of them to end.</summary>
    public int MaxQueue { get; init; }

    /// <summary>What to ask for where the provider's wire demands a limit of tokens and the caller set none.</summary>
    public int DefaultMaxTokens { get; init; } = 8192;

    /// <summary>False: no call is sent to it.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>What it costs.</summary>
    public List<PriceOptions> Prices { get; init; } = [];
}

/// <summary>The settings under <c>Gateway:Deployments:&lt;name&gt;:Prices:&lt;n&gt;</c>: US dollars for a million tokens.</summary>
internal sealed class PriceOptions
{
    public DateTimeOffset ValidFrom { get; init; } = DateTimeOffset.UnixEpoch;

    public DateTimeOffset? ValidTo { get; init; }

    public decimal Input { get; init; }

    public decimal Output { get; init; }

    public decimal? CacheRead { get; init; }

    public decimal? CacheWrite { get; init; }

    public decimal? Reasoning { get; init; }
}

/// <summary>The settings under <c>Gateway:Models:&lt;name&gt;</c>.</summary>
internal sealed class ModelOptions
{
    /// <summary>A sentence for people.</summary>
    public string? Description { get; init; }

    /// <summary>Names of deployments with their weights; the next tier only when the one before cannot help.</summary>
    public List<Dictionary<string, int>> Tiers { get; init; } = [];

    /// <summary>When a second deployment is asked beside a first that is silent.</summary>
    public TimeSpan? HedgeAfter { get; init; }

    /// <summary>The most tries of a call.</summary>
    public int? MaxAttempts { get; init; }
}
