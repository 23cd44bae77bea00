using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Providers;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>A model at a provider, as calls are sent to it.</summary>
/// <param name="Settings">What it is.</param>
/// <param name="Provider">Where it is.</param>
/// <param name="Health">How it has fared on this instance.</param>
internal sealed record Deployment(DeploymentSettings Settings, Provider Provider, DeploymentHealth Health)
{
    /// <summary>The organization whose it is; null for what is built in.</summary>
    public Guid? OwnerId { get; init; }

    /// <summary>What records and logs call it.</summary>
    public string Name => Settings.Name;

    /// <summary>The provider's name of the model, for a caller who used this one.</summary>
    public string UpstreamModelFor(string model) => Settings.UpstreamModel ?? model;
}

/// <summary>What a deployment is.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">What records and logs call it.</param>
/// <param name="ProviderId">Where it is.</param>
/// <param name="Model">The model name that callers use; a <c>*</c> at its end stands for any rest. Several deployments may share one.</param>
/// <param name="UpstreamModel">The provider's name of the model, or null where the caller's is sent on.</param>
internal sealed record DeploymentSettings(Guid Id, string Name, Guid ProviderId, string Model, string? UpstreamModel)
{
    /// <summary>Its share of the calls among deployments of the same model: 1 to 1000.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Ask every stream for its usage, also when the caller did not.</summary>
    public bool AskForUsage { get; init; } = true;

    /// <summary>How long the provider may take to begin its answer.</summary>
    public TimeSpan FirstByteTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long an answer that has begun may pause.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long one try may take in all.</summary>
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The most calls at once from one instance; null for no limit.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>How many calls may wait for one of them to end.</summary>
    public int MaxQueue { get; init; }

    /// <summary>What to ask for where the provider's wire demands a limit of tokens and the caller set none.</summary>
    public int DefaultMaxTokens { get; init; } = 8192;

    /// <summary>What it costs; one price at most holds at any instant.</summary>
    public IReadOnlyList<Price> Prices { get; init; } = [];

    /// <summary>True when it stands for one model name, which can be listed.</summary>
    public bool IsExact => !Model.EndsWith('*');

    /// <summary>Whether a caller's model name means it.</summary>
    public bool Serves(string model) =>
        IsExact ? model == Model : model.StartsWith(Model.AsSpan(0, Model.Length - 1), StringComparison.Ordinal);
}
