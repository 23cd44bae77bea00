using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Modules.Gateway.Providers.Simulator;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>
/// The connections to providers and what is known of deployments, from one reading of the settings to the next: what has not changed goes on
/// as it was, and what has is let go of. Calls under way keep what they have.
/// </summary>
/// <remarks>One thread at a time.</remarks>
internal sealed class LiveDeployments(bool allowPrivateAddresses, TimeProvider time) : IDisposable
{
    private const string SimulatorName = "simulator";
    private static readonly Guid SimulatorId = new("00000000-0000-8000-8000-000000000001");

    // A call may still hold a provider that is gone from the settings, and send by it a moment later. So its connections are closed only
    // when nothing holds it, which is the collector's to tell.
    private readonly List<(WeakReference<Provider> Provider, HttpMessageHandler Handler)> _retired = [];
    private Dictionary<Guid, Held> _providers = [];
    private Dictionary<Guid, (long Version, Deployment Deployment)> _deployments = [];
    private Dictionary<Guid, Held> _nextProviders = [];
    private Dictionary<Guid, (long Version, Deployment Deployment)> _nextDeployments = [];

    private sealed record Held(Guid TenantId, Provider Provider);

    /// <summary>The simulator, which is always there.</summary>
    public IReadOnlyList<Deployment> BuiltIn { get; } = CreateSimulator(time);

    /// <summary>A new reading begins.</summary>
    public void Begin()
    {
        _nextProviders = [];
        _nextDeployments = [];
    }

    /// <summary>There is such a provider.</summary>
    public void Add(Guid tenantId, ProviderSettings settings, string? credential)
    {
        var provider =
            _providers.TryGetValue(settings.Id, out var held)
            && held.Provider.Settings == settings
            && held.Provider.Credential == credential
                ? held.Provider
                : new Provider(
                    settings,
                    credential,
                    settings.Kind == ProviderKind.Simulator
                        ? new SimulatorHandler(time)
                        : Provider.OverNetwork(settings.ConnectTimeout, allowPrivateAddresses)
                );
        _nextProviders[settings.Id] = new Held(tenantId, provider);
    }

    /// <summary>There is such a deployment; its provider was added before.</summary>
    /// <returns>Null when its provider is not there.</returns>
    public Deployment? Add(Guid tenantId, long version, DeploymentSettings settings)
    {
        if (!_nextProviders.TryGetValue(settings.ProviderId, out var held) || held.TenantId != tenantId)
            return null;
        var (seen, before) = _deployments.GetValueOrDefault(settings.Id);
        var deployment =
            before?.Provider == held.Provider && seen == version
                ? before
                : new Deployment(settings, held.Provider, HealthOf(settings, held.Provider, before))
                {
                    OwnerId = tenantId,
                };
        _nextDeployments[settings.Id] = (version, deployment);
        return deployment;
    }

    /// <summary>The reading is complete: what was not added is gone.</summary>
    public void End()
    {
        foreach (var (id, held) in _providers)
        {
            if (_nextProviders.GetValueOrDefault(id)?.Provider != held.Provider)
                _retired.Add((new WeakReference<Provider>(held.Provider), held.Provider.Handler));
        }
        (_providers, _deployments) = (_nextProviders, _nextDeployments);
    }

    /// <summary>Closes the connections of providers that nobody holds any more.</summary>
    public void Sweep()
    {
        for (var i = _retired.Count - 1; i >= 0; i--)
        {
            if (_retired[i].Provider.TryGetTarget(out _))
                continue;
            _retired[i].Handler.Dispose();
            _retired.RemoveAt(i);
        }
    }

    public void Dispose()
    {
        foreach (var held in _providers.Values)
            held.Provider.Dispose();
        foreach (var (_, handler) in _retired)
            handler.Dispose();
        BuiltIn[0].Provider.Dispose();
    }

    // What was learnt about a model at a provider holds for the same model at the same provider, whatever else is different.
    private DeploymentHealth HealthOf(DeploymentSettings settings, Provider provider, Deployment? before) =>
        before is not null
        && before.Provider == provider
        && before.Settings.Model == settings.Model
        && before.Settings.UpstreamModel == settings.UpstreamModel
        && before.Settings.MaxConcurrency == settings.MaxConcurrency
        && before.Settings.MaxQueue == settings.MaxQueue
            ? before.Health
            : new DeploymentHealth(settings.MaxConcurrency, settings.MaxQueue, time);

    private static Deployment[] CreateSimulator(TimeProvider time)
    {
        var provider = new Provider(
            new ProviderSettings(
                SimulatorId,
                SimulatorName,
                ProviderKind.Simulator,
                ProviderKinds.DefaultBaseUrl(ProviderKind.Simulator)!,
                ApiVersion: null,
                ProviderSettings.DefaultConnectTimeout
            ),
            credential: null,
            new SimulatorHandler(time)
        );
        return
        [
            .. new[] { SimulatorName, SimulatorName + ":*" }.Select(pattern => new Deployment(
                new DeploymentSettings(SimulatorId, SimulatorName, provider.Settings.Id, pattern, UpstreamModel: null),
                provider,
                new DeploymentHealth(maxConcurrency: null, maxQueue: 0, time)
            )),
        ];
    }
}
