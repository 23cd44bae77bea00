using Microsoft.Extensions.Configuration;
using Verbatim.Modules.Gateway.Providers.Simulator;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>All deployments of this instance, from the settings, and the simulator.</summary>
[Singleton]
internal sealed class Deployments : IDisposable
{
    private const string SimulatorName = "simulator";

    private readonly List<Deployment> _deployments;
    private readonly Dictionary<string, Deployment> _exact;
    private readonly Deployment[] _patterns;

    /// <exception cref="SettingException">A setting is wrong; the message says which, what was found and what is valid.</exception>
    public Deployments(IConfiguration configuration, TimeProvider time)
    {
        var options = Read(configuration);
        MaxRequestBytes = options.MaxRequestBytes;
        _deployments =
        [
            .. options.Deployments.Select(d => Create(d.Key, d.Value)),
            .. FromEnvironment(configuration),
            .. Simulator(time),
        ];
        _exact = [];
        foreach (var deployment in _deployments.Where(d => d.IsExact))
        {
            if (!_exact.TryAdd(deployment.Pattern, deployment))
                throw new SettingException(
                    $"Gateway:Deployments:{deployment.Name}:Model is '{deployment.Pattern}', which the deployment '{_exact[deployment.Pattern].Name}' has already; "
                        + "a model name belongs to one deployment."
                );
        }
        // The longest pattern says most about a name.
        _patterns = [.. _deployments.Where(d => !d.IsExact).OrderByDescending(d => d.Pattern.Length)];
    }

    public int MaxRequestBytes { get; }

    /// <summary>Those that stand for one model name.</summary>
    public IEnumerable<Deployment> Exact => _exact.Values;

    public Deployment? Find(string model) =>
        _exact.TryGetValue(model, out var exact) ? exact : Array.Find(_patterns, d => d.Serves(model));

    public void Dispose()
    {
        foreach (var client in _deployments.Select(d => d.Client).Distinct())
            client.Dispose();
    }

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
        return options;
    }

    private static Deployment Create(string name, DeploymentOptions options)
    {
        var setting = "Gateway:Deployments:" + name;
        if (
            !Uri.TryCreate(options.BaseUrl?.TrimEnd('/') + "/", UriKind.Absolute, out var address)
            || address.Scheme is not ("http" or "https")
        )
            throw new SettingException(
                $"{setting}:BaseUrl is '{options.BaseUrl}'; valid is an address such as https://api.openai.com/v1."
            );
        var pattern = options.Model ?? name;
        if (pattern.Length == 0 || pattern.AsSpan(0, pattern.Length - 1).Contains('*'))
            throw new SettingException(
                $"{setting}:Model is '{pattern}'; valid is a model name, with at most one * at its end."
            );
        if (options.FirstByteTimeout <= TimeSpan.Zero || options.IdleTimeout <= TimeSpan.Zero)
            throw new SettingException(
                $"{setting}: FirstByteTimeout and IdleTimeout must be longer than zero, for instance 00:05:00."
            );
        return new Deployment(
            name,
            "openai-compatible",
            pattern,
            options.UpstreamModel,
            options.StreamUsage,
            options.FirstByteTimeout,
            options.IdleTimeout,
            new ProviderClient(
                ProviderClient.OverNetwork(),
                address,
                options.ApiKey is { Length: > 0 } key ? key : null
            )
        );
    }

    // A key in the environment is enough to begin with: every model that nothing else serves goes there.
    private static IEnumerable<Deployment> FromEnvironment(IConfiguration configuration)
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

    private static IEnumerable<Deployment> Simulator(TimeProvider time)
    {
        var client = new ProviderClient(
            new SimulatorHandler(time),
            new Uri("http://simulator.invalid/v1/"),
            apiKey: null
        );
        foreach (var pattern in (string[])[SimulatorName, SimulatorName + ":*"])
        {
            yield return new Deployment(
                SimulatorName,
                SimulatorName,
                pattern,
                UpstreamModel: null,
                AskForUsage: true,
                TimeSpan.FromMinutes(5),
                TimeSpan.FromMinutes(2),
                client
            );
        }
    }
}
