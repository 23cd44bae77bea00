using Microsoft.Extensions.Configuration;
using Verbatim.Modules.Gateway.Models.Aliases;
using Verbatim.Modules.Gateway.Models.Deployments;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Modules.Gateway.Wire.Translation;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models.Configured;

/// <summary>What the configuration and the environment say about providers, deployments and models.</summary>
[Singleton]
internal sealed class ConfiguredSettings
{
    private const long MostFileBytes = 8L * 1024 * 1024 * 1024;

    // OpenRouter's names begin with the vendor's. These are sent there when OpenAI has the rest.
    private static readonly string[] Vendors =
    [
        "ai21",
        "amazon",
        "anthropic",
        "cohere",
        "deepseek",
        "google",
        "meta-llama",
        "microsoft",
        "mistralai",
        "moonshotai",
        "nvidia",
        "openai",
        "openrouter",
        "qwen",
        "x-ai",
        "z-ai",
    ];

    private readonly List<ConfiguredProvider> _providers = [];
    private readonly List<ConfiguredDeployment> _deployments = [];
    private readonly List<ConfiguredModel> _models = [];

    /// <exception cref="SettingException">A setting is wrong; the message says which, what was found and what is valid.</exception>
    public ConfiguredSettings(IConfiguration configuration)
    {
        Options = Read(configuration);
        UseVocabulary(Options.Vocabulary);
        foreach (var (name, options) in Options.Providers)
            _providers.Add(Provider($"Gateway:Providers:{name}", name, options));
        foreach (var (name, options) in Options.Deployments)
            AddDeployment(name, options);
        foreach (var (name, options) in Options.Models)
            _models.Add(Model(name, options));
        AddEnvironment(configuration);
    }

    /// <summary>The settings under <c>Gateway</c>.</summary>
    public GatewayOptions Options { get; }

    public IReadOnlyList<ConfiguredProvider> Providers => _providers;

    public IReadOnlyList<ConfiguredDeployment> Deployments => _deployments;

    public IReadOnlyList<ConfiguredModel> Models => _models;

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
        if (options.MaxFileBytes is < 1024 or > MostFileBytes)
            throw new SettingException(
                $"Gateway:MaxFileBytes is {options.MaxFileBytes}; valid is 1024 to {MostFileBytes}."
            );
        if (options.MaxAttempts is < 1 or > 10)
            throw new SettingException($"Gateway:MaxAttempts is {options.MaxAttempts}; valid is 1 to 10.");
        if (options.OllamaUrl.Length > 0 && !ProviderRules.IsAddress(options.OllamaUrl))
            throw new SettingException(
                $"Gateway:OllamaUrl is '{options.OllamaUrl}'; valid is an address such as http://127.0.0.1:11434, or nothing."
            );
        return options;
    }

    private static void UseVocabulary(string? path)
    {
        if (string.IsNullOrEmpty(path))
            return;
        try
        {
            TextTokens.Use(Vocabulary.Read(path));
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new SettingException(
                $"Gateway:Vocabulary is '{path}'; valid is a file in tiktoken's format, such as o200k_base.tiktoken.",
                e
            );
        }
    }

    private static ConfiguredProvider Provider(string setting, string name, ProviderOptions options)
    {
        if (ProviderKinds.Find(options.Kind) is not { } kind)
            throw new SettingException(
                $"{setting}:Kind is '{options.Kind}'; valid is one of {string.Join(", ", ProviderKinds.Names)}."
            );
        var address = (options.BaseUrl is { Length: > 0 } url ? url : ProviderKinds.DefaultBaseUrl(kind))?.TrimEnd('/');
        if (!ProviderRules.IsAddress(address))
            throw new SettingException(
                $"{setting}:BaseUrl is '{options.BaseUrl}'; valid is an address such as https://api.openai.com/v1."
            );
        if (kind == ProviderKind.AzureOpenAi && string.IsNullOrEmpty(options.ApiVersion))
            throw new SettingException($"{setting}:ApiVersion is missing; Azure needs one, for instance 2024-10-21.");
        if (!ProviderRules.IsConnectTimeout(options.ConnectTimeout))
            throw new SettingException(
                $"{setting}:ConnectTimeout is {options.ConnectTimeout}; valid is more than zero, up to 00:05:00."
            );
        var credential = options.ApiKey is { Length: > 0 } key ? key : null;
        if (credential is not null && !ProviderRules.IsCredential(credential))
            throw new SettingException(
                $"{setting}:ApiKey has a character that no header can carry; valid are letters, digits and signs without spaces."
            );
        return new ConfiguredProvider(
            setting,
            new ProviderTerms(
                name,
                ProviderKinds.NameOf(kind),
                address!,
                string.IsNullOrEmpty(options.ApiVersion) ? null : options.ApiVersion,
                options.ConnectTimeout
            ),
            credential
        );
    }

    private void AddDeployment(string name, DeploymentOptions options)
    {
        var setting = $"Gateway:Deployments:{name}";
        string provider;
        if (options.Provider is { Length: > 0 } named)
        {
            if (options.BaseUrl is not null || options.ApiKey is not null)
                throw new SettingException(
                    $"{setting} has both Provider and an address or a key of its own; give one of the two."
                );
            provider =
                _providers.Find(p => p.Terms.Name.Equals(named, StringComparison.OrdinalIgnoreCase))?.Terms.Name
                ?? throw new SettingException(
                    $"{setting}:Provider is '{named}'; valid is one of those under Gateway:Providers."
                );
        }
        else
        {
            if (Options.Providers.ContainsKey(name))
                throw new SettingException(
                    $"{setting} has the name of a provider under Gateway:Providers; give it as Provider, or rename one."
                );
            _providers.Add(Provider(setting, name, options));
            provider = name;
        }
        _deployments.Add(new ConfiguredDeployment(setting, provider, Terms(setting, name, options)));
    }

    private static DeploymentTerms Terms(string setting, string name, DeploymentOptions options)
    {
        var terms = new DeploymentTerms(
            name,
            ProviderId: Guid.Empty,
            options.Model ?? name,
            string.IsNullOrEmpty(options.UpstreamModel) ? null : options.UpstreamModel,
            options.Weight,
            options.StreamUsage,
            options.FirstByteTimeout,
            options.IdleTimeout,
            options.TotalTimeout,
            options.MaxConcurrency,
            options.MaxQueue,
            options.DefaultMaxTokens,
            options.Enabled,
            Visibility.Everybody,
            [
                .. options.Prices.Select(p => new Price(
                    p.ValidFrom,
                    p.ValidTo,
                    p.Input,
                    p.Output,
                    p.CacheRead,
                    p.CacheWrite,
                    p.Reasoning
                )),
            ]
        );
        var pattern = terms.Model;
        if (pattern.Length == 0 || pattern.AsSpan(0, pattern.Length - 1).Contains('*'))
            throw new SettingException(
                $"{setting}:Model is '{pattern}'; valid is a model name, with at most one * at its end."
            );
        return DeploymentRules.Check(terms) is { } wrong ? throw new SettingException($"{setting}: {wrong}") : terms;
    }

    private ConfiguredModel Model(string name, ModelOptions options)
    {
        var setting = $"Gateway:Models:{name}";
        if (options.Tiers.Count == 0 || options.Tiers.Any(static t => t.Count == 0))
            throw new SettingException($"{setting}:Tiers must name at least one deployment each.");
        var tiers = new List<IReadOnlyList<(string, int)>>();
        foreach (var tier in options.Tiers)
        {
            var named = new List<(string, int)>();
            foreach (var (deployment, weight) in tier)
            {
                var found =
                    _deployments.Find(d => d.Terms.Name.Equals(deployment, StringComparison.OrdinalIgnoreCase))
                    ?? throw new SettingException(
                        $"{setting}:Tiers names '{deployment}'; valid is one of those under Gateway:Deployments."
                    );
                if (weight is < 1 or > 1000)
                    throw new SettingException($"{setting}:Tiers gives '{deployment}' {weight}; valid is 1 to 1000.");
                named.Add((found.Terms.Name, weight));
            }
            tiers.Add(named);
        }
        if (options.MaxAttempts is < 1 or > 10)
            throw new SettingException($"{setting}:MaxAttempts is {options.MaxAttempts}; valid is 1 to 10.");
        if (options.HedgeAfter <= TimeSpan.Zero)
            throw new SettingException($"{setting}:HedgeAfter is {options.HedgeAfter}; valid is more than zero.");
        return new ConfiguredModel(
            setting,
            new ModelTerms(
                name,
                options.Description,
                [],
                options.HedgeAfter,
                options.MaxAttempts,
                Visibility.Everybody
            ),
            tiers
        );
    }

    // A key in the environment is enough to begin with.
    private void AddEnvironment(IConfiguration configuration)
    {
        var hasOpenAi = AddFromKey(configuration, "OPENAI_API_KEY", "OPENAI_BASE_URL", "openai", "openai", ["*"]);
        AddFromKey(configuration, "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "anthropic", "anthropic", ["claude-*"]);
        AddFromKey(
            configuration,
            "OPENROUTER_API_KEY",
            "OPENROUTER_BASE_URL",
            "openrouter",
            "openrouter",
            hasOpenAi ? [.. Vendors.Select(static v => v + "/*")] : ["*"]
        );
    }

    private bool AddFromKey(
        IConfiguration configuration,
        string keyName,
        string addressName,
        string name,
        string kind,
        IReadOnlyList<string> patterns
    )
    {
        // Who has configured one of this name has said what it is.
        if (
            configuration[keyName] is not { Length: > 0 } key
            || _providers.Exists(p => p.Terms.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        )
            return false;
        var address = configuration[addressName] is { Length: > 0 } given ? given.TrimEnd('/') : null;
        // Anthropic's own clients take the address without the version.
        if (kind == "anthropic" && address?.EndsWith("/v1", StringComparison.Ordinal) == false)
            address += "/v1";
        // What is at another address is seldom the whole of OpenAI.
        if (kind == "openai" && address is not null)
            kind = "openai-compatible";
        if (address is not null && !ProviderRules.IsAddress(address))
            throw new SettingException(
                $"{addressName} is '{configuration[addressName]}'; valid is an address such as https://api.openai.com/v1."
            );
        var options = new DeploymentOptions
        {
            Kind = kind,
            BaseUrl = address,
            ApiKey = key,
        };
        _providers.Add(Provider(keyName, name, options) with { IsImplied = true });
        foreach (var pattern in patterns)
        {
            var deployment = patterns.Count == 1 ? name : $"{name} {pattern[..^2]}";
            _deployments.Add(
                new ConfiguredDeployment(keyName, name, Terms(keyName, deployment, options) with { Model = pattern })
                {
                    IsImplied = true,
                }
            );
        }
        return true;
    }
}

/// <summary>A provider of the configuration.</summary>
/// <param name="SetBy">The setting that it comes from.</param>
/// <param name="Terms">What it is.</param>
/// <param name="Credential">Its credential.</param>
internal sealed record ConfiguredProvider(string SetBy, ProviderTerms Terms, string? Credential)
{
    /// <summary>It comes from a key in the environment: where the API has made one of its name, that one is left alone.</summary>
    public bool IsImplied { get; init; }

    // A record's own would show the credential.
    public override string ToString() => SetBy;
}

/// <summary>A deployment of the configuration.</summary>
/// <param name="SetBy">The setting that it comes from.</param>
/// <param name="Provider">Its provider's name.</param>
/// <param name="Terms">What it is, its provider's id left open.</param>
internal sealed record ConfiguredDeployment(string SetBy, string Provider, DeploymentTerms Terms)
{
    /// <summary>As of its provider.</summary>
    public bool IsImplied { get; init; }
}

/// <summary>A model of the configuration.</summary>
/// <param name="SetBy">The setting that it comes from.</param>
/// <param name="Terms">What it is, without its tiers.</param>
/// <param name="Tiers">Names of deployments with their weights.</param>
internal sealed record ConfiguredModel(
    string SetBy,
    ModelTerms Terms,
    IReadOnlyList<IReadOnlyList<(string Deployment, int Weight)>> Tiers
);
