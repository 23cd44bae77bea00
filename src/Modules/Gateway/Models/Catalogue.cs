using Microsoft.Extensions.Configuration;
using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Modules.Gateway.Providers.Simulator;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>Where the calls of each caller go, by the names of models. The settings as this instance knows them.</summary>
[Singleton]
internal sealed class Catalogue : IDisposable
{
    private const string SimulatorName = "simulator";

    private readonly TimeProvider _time;
    private readonly GatewayOptions _options;
    private readonly CatalogueSnapshot _snapshot;

    /// <exception cref="SettingException">A setting is wrong; the message says which, what was found and what is valid.</exception>
    public Catalogue(IConfiguration configuration, TimeProvider time)
    {
        _time = time;
        _options = Read(configuration);
        _snapshot = CatalogueSnapshot.Of(
            [
                .. _options.Deployments.Select(d => Create(d.Key, d.Value)),
                .. FromEnvironment(configuration),
                .. Simulator(),
            ],
            _options.MaxAttempts,
            time
        );
    }

    /// <summary>The largest body of a request.</summary>
    public int MaxRequestBytes => _options.MaxRequestBytes;

    /// <summary>A call whose client has gone is taken to its end, instead of ending it.</summary>
    public bool DrainsAbandoned => _options.DrainAbandoned;

    /// <summary>The routes that stand for one model name.</summary>
    public IEnumerable<Route> Exact => _snapshot.Exact;

    /// <summary>Where a caller's calls of a model go; null when there is no such model for them.</summary>
    public Route? Find(InferenceCaller caller, string model) => _snapshot.Find(model);

    /// <summary>The same for who only reads.</summary>
    public Route? Find(Caller caller, string model) => _snapshot.Find(model);

    /// <summary>How much of a caller's calls is kept.</summary>
    public RecordingLevel RecordingOf(InferenceCaller caller) => _options.Recording;

    public void Dispose() => _snapshot.Dispose();

    private static GatewayOptions Read(IConfiguration configuration)
    {
        GatewayOptions options;
        try
        {
            options =
                configuration.GetSection("Gateway").Get<GatewayOptions>(o => o.ErrorOnUnknownConfiguration = true)
                ?? new GatewayOptions();
        }
        catch (InvalidOperationException e)
        {
            throw new SettingException($"A setting under Gateway is wrong: {(e.InnerException ?? e).Message}", e);
        }
        if (options.MaxRequestBytes is < 1024 or > 256 * 1024 * 1024)
            throw new SettingException(
                $"Gateway:MaxRequestBytes is {options.MaxRequestBytes}; valid is 1024 to {256 * 1024 * 1024}."
            );
        if (options.MaxAttempts is < 1 or > 10)
            throw new SettingException($"Gateway:MaxAttempts is {options.MaxAttempts}; valid is 1 to 10.");
        return options;
    }

    private Deployment Create(string name, DeploymentOptions options)
    {
        var setting = "Gateway:Deployments:" + name;
        if (ProviderKinds.Find(options.Kind) is not { } kind || kind == ProviderKind.Simulator)
            throw new SettingException(
                $"{setting}:Kind is '{options.Kind}'; valid is one of {string.Join(", ", Enum.GetValues<ProviderKind>().Where(k => k != ProviderKind.Simulator).Select(ProviderKinds.NameOf))}."
            );
        var given = (options.BaseUrl is { Length: > 0 } url ? url : ProviderKinds.DefaultBaseUrl(kind))?.TrimEnd('/');
        if (!Uri.TryCreate(given, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new SettingException(
                $"{setting}:BaseUrl is '{options.BaseUrl}'; valid is an address such as https://api.openai.com/v1."
            );
        if (kind == ProviderKind.AzureOpenAi && string.IsNullOrEmpty(options.ApiVersion))
            throw new SettingException($"{setting}:ApiVersion is missing; Azure needs one, for instance 2024-10-21.");
        var pattern = options.Model ?? name;
        if (pattern.Length == 0 || pattern.AsSpan(0, pattern.Length - 1).Contains('*'))
            throw new SettingException(
                $"{setting}:Model is '{pattern}'; valid is a model name, with at most one * at its end."
            );
        if (options.FirstByteTimeout <= TimeSpan.Zero || options.IdleTimeout <= TimeSpan.Zero)
            throw new SettingException(
                $"{setting}: FirstByteTimeout and IdleTimeout must be longer than zero, for instance 00:05:00."
            );
        var provider = new ProviderSettings(
            IdOf("provider:" + name),
            name,
            kind,
            given!,
            options.ApiVersion,
            ProviderSettings.DefaultConnectTimeout
        );
        var settings = new DeploymentSettings(
            IdOf("deployment:" + name),
            name,
            provider.Id,
            pattern,
            options.UpstreamModel
        )
        {
            AskForUsage = options.StreamUsage,
            FirstByteTimeout = options.FirstByteTimeout,
            IdleTimeout = options.IdleTimeout,
        };
        return new Deployment(
            settings,
            new Provider(
                provider,
                options.ApiKey is { Length: > 0 } key ? key : null,
                Provider.OverNetwork(provider.ConnectTimeout)
            ),
            new DeploymentHealth(settings.MaxConcurrency, settings.MaxQueue, _time)
        );
    }

    // The same name has the same id at every start and on every instance.
    private static Guid IdOf(string name) =>
        new(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));

    // A key in the environment is enough to begin with: every model that nothing else serves goes there.
    private IEnumerable<Deployment> FromEnvironment(IConfiguration configuration)
    {
        if (configuration["OPENAI_API_KEY"] is not { Length: > 0 } key)
            yield break;
        var address = configuration["OPENAI_BASE_URL"] is { Length: > 0 } given ? given : "https://api.openai.com/v1";
        yield return Create(
            "openai",
            new DeploymentOptions
            {
                BaseUrl = address,
                ApiKey = key,
                Model = "*",
            }
        );
    }

    private IEnumerable<Deployment> Simulator()
    {
        var provider = new Provider(
            new ProviderSettings(
                IdOf("provider:" + SimulatorName),
                SimulatorName,
                ProviderKind.Simulator,
                ProviderKinds.DefaultBaseUrl(ProviderKind.Simulator)!,
                ApiVersion: null,
                ProviderSettings.DefaultConnectTimeout
            ),
            credential: null,
            new SimulatorHandler(_time)
        );
        foreach (var pattern in (string[])[SimulatorName, SimulatorName + ":*"])
        {
            yield return new Deployment(
                new DeploymentSettings(
                    IdOf("deployment:" + pattern),
                    SimulatorName,
                    provider.Settings.Id,
                    pattern,
                    UpstreamModel: null
                ),
                provider,
                new DeploymentHealth(maxConcurrency: null, maxQueue: 0, _time)
            );
        }
    }
}
