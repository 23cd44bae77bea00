using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Models.Aliases;
using Verbatim.Modules.Gateway.Models.Recording;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>All settings at one moment. A change of a setting makes another.</summary>
internal sealed class CatalogueSnapshot
{
    private readonly CatalogueEntries _entries;
    private readonly Dictionary<Guid, Dictionary<Guid, PlacedDeployment>> _deployments;
    private readonly HashSet<Guid> _tenants;
    private readonly HashSet<Guid> _projects;
    private readonly ConcurrentDictionary<ViewKey, CatalogueView> _views = new();
    private readonly ConcurrentDictionary<(int, TimeSpan?), RoutePipeline> _pipelines = new();
    private readonly int _maxAttempts;
    private readonly TimeProvider _time;

    public CatalogueSnapshot(CatalogueEntries entries, int maxAttempts, TimeProvider time)
    {
        _entries = entries;
        _maxAttempts = maxAttempts;
        _time = time;
        _deployments = entries
            .Deployments.GroupBy(static d => d.TenantId)
            .ToDictionary(static g => g.Key, static g => g.ToDictionary(static d => d.Deployment.Settings.Id));
        var visibilities = entries
            .Deployments.Select(static d => d.Visibility)
            .Concat(entries.Models.Select(static m => m.Terms.Visibility))
            .ToList();
        _tenants =
        [
            .. _deployments.Keys,
            .. entries.Models.Select(static m => m.TenantId),
            .. visibilities.SelectMany(static v => v.Organizations ?? []),
        ];
        _projects = [.. visibilities.SelectMany(static v => v.Projects ?? [])];
    }

    /// <summary>What a caller can ask.</summary>
    public CatalogueView ViewOf(Guid tenantId, Guid? projectId)
    {
        // Who is named nowhere sees what everybody sees: one view for all of them.
        var key = new ViewKey(
            _tenants.Contains(tenantId) ? tenantId : Guid.Empty,
            projectId is { } project && _projects.Contains(project) ? project : null
        );
        return _views.TryGetValue(key, out var view) ? view : _views.GetOrAdd(key, CreateView(key));
    }

    /// <summary>How much of a call is kept; null where the organization does not say.</summary>
    public RecordingLevel? RecordingOf(Guid tenantId, Guid? projectId, Guid? apiKeyId) =>
        _entries.Recording.TryGetValue(tenantId, out var policy)
            ? LevelOf(policy.ApiKeys, apiKeyId) ?? LevelOf(policy.Projects, projectId) ?? policy.Default
            : null;

    private static RecordingLevel? LevelOf(IReadOnlyList<RecordingChoice> choices, Guid? id)
    {
        foreach (var choice in choices)
        {
            if (choice.Id == id)
                return choice.Level;
        }
        return null;
    }

    private CatalogueView CreateView(ViewKey key)
    {
        var deployments = _entries
            .Deployments.Where(d => d.IsEnabled && IsVisible(d.TenantId, d.Visibility, key))
            .ToLookup(d => d.TenantId == key.TenantId);
        var models = _entries
            .Models.Where(m => IsVisible(m.TenantId, m.Terms.Visibility, key))
            .ToLookup(m => m.TenantId == key.TenantId);
        return new CatalogueView(
            CreateShelf(
                deployments[true],
                models[true],
                _entries.BuiltIn.Select(d => new PlacedDeployment(
                    key.TenantId,
                    d,
                    Visibility.Own,
                    IsEnabled: true,
                    CreatedAt: null
                ))
            ),
            CreateShelf(deployments[false], models[false], [])
        );
    }

    private bool IsVisible(Guid owner, Visibility visibility, ViewKey key) =>
        visibility.Reaches(owner, owner == _entries.InstallationId, key.TenantId, key.ProjectId);

    // The deployments of one model name are one tier, whose calls they share by their weights; a model of the name stands before them.
    private CatalogueShelf CreateShelf(
        IEnumerable<PlacedDeployment> deployments,
        IEnumerable<PlacedModel> models,
        IEnumerable<PlacedDeployment> builtIn
    )
    {
        var exact = new Dictionary<string, Route?>(StringComparer.Ordinal);
        var patterns = new List<Route>();
        foreach (var model in models)
            exact[model.Terms.Name] = RouteOf(model);
        foreach (var group in deployments.GroupBy(static d => d.Deployment.Settings.Model, StringComparer.Ordinal))
            Add(group.Key, [.. group]);
        foreach (var deployment in builtIn)
            Add(deployment.Deployment.Settings.Model, [deployment]);
        // The longest pattern says most about a name.
        return new CatalogueShelf(exact, [.. patterns.OrderByDescending(static r => r.Model.Length)]);

        void Add(string name, IReadOnlyList<PlacedDeployment> group)
        {
            var route = new Route(
                name,
                [
                    [.. group.Select(static d => new WeightedDeployment(d.Deployment, d.Deployment.Settings.Weight))],
                ],
                PipelineOf(maxAttempts: null, hedgeAfter: null)
            )
            {
                CreatedAt = group.Min(static d => d.CreatedAt),
            };
            if (route.IsExact)
                exact.TryAdd(name, route);
            else if (!patterns.Exists(p => p.Model == name))
                patterns.Add(route);
        }
    }

    // A model all of whose deployments are off is closed: its name must not lead to anything else meanwhile.
    private Route? RouteOf(PlacedModel model)
    {
        var own = _deployments.GetValueOrDefault(model.TenantId);
        var tiers = new List<IReadOnlyList<WeightedDeployment>>();
        foreach (var tier in model.Terms.Tiers)
        {
            var deployments = new List<WeightedDeployment>();
            foreach (var entry in tier.Deployments)
            {
                if (own?.TryGetValue(entry.DeploymentId, out var placed) == true && placed.IsEnabled)
                    deployments.Add(new WeightedDeployment(placed.Deployment, entry.Weight));
            }
            if (deployments.Count > 0)
                tiers.Add(deployments);
        }
        return tiers.Count == 0
            ? null
            : new Route(model.Terms.Name, tiers, PipelineOf(model.Terms.MaxAttempts, model.Terms.HedgeAfter))
            {
                CreatedAt = model.CreatedAt,
            };
    }

    private RoutePipeline PipelineOf(int? maxAttempts, TimeSpan? hedgeAfter) =>
        _pipelines.GetOrAdd(
            (maxAttempts ?? _maxAttempts, hedgeAfter),
            static (key, time) => new RoutePipeline(key.Item1, key.Item2, time),
            _time
        );

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct ViewKey(Guid TenantId, Guid? ProjectId);
}

/// <summary>What a snapshot is made of.</summary>
/// <param name="InstallationId">The organization that may share with others.</param>
/// <param name="Deployments">Of all organizations.</param>
/// <param name="Models">Of all organizations.</param>
/// <param name="Recording">By organization.</param>
/// <param name="BuiltIn">What every caller has.</param>
internal sealed record CatalogueEntries(
    Guid InstallationId,
    IReadOnlyList<PlacedDeployment> Deployments,
    IReadOnlyList<PlacedModel> Models,
    IReadOnlyDictionary<Guid, RecordingPolicy> Recording,
    IReadOnlyList<Deployment> BuiltIn
);

/// <summary>A deployment and whose it is.</summary>
internal sealed record PlacedDeployment(
    Guid TenantId,
    Deployment Deployment,
    Visibility Visibility,
    bool IsEnabled,
    DateTimeOffset? CreatedAt
);

/// <summary>A model name and whose it is.</summary>
internal sealed record PlacedModel(Guid TenantId, ModelTerms Terms, DateTimeOffset CreatedAt);
