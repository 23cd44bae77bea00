using Verbatim.Modules.Gateway.Dispatch;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>All routes at one moment. A change of a setting makes another.</summary>
internal sealed class CatalogueSnapshot : IDisposable
{
    private readonly Deployment[] _deployments;
    private readonly Dictionary<string, Route> _exact;
    private readonly Route[] _patterns;

    private CatalogueSnapshot(Deployment[] deployments, IEnumerable<Route> routes)
    {
        _deployments = deployments;
        var byKind = routes.ToLookup(static r => r.IsExact);
        _exact = byKind[true].ToDictionary(static r => r.Model, StringComparer.Ordinal);
        // The longest pattern says most about a name.
        _patterns = [.. byKind[false].OrderByDescending(static r => r.Model.Length)];
    }

    /// <summary>The routes that stand for one model name.</summary>
    public IEnumerable<Route> Exact => _exact.Values;

    /// <summary>The deployments of one model name are one tier, whose calls they share by their weights.</summary>
    public static CatalogueSnapshot Of(IReadOnlyList<Deployment> deployments, int maxAttempts, TimeProvider time)
    {
        var pipeline = RoutePipelines.Build(maxAttempts, hedgeAfter: null, time);
        return new CatalogueSnapshot(
            [.. deployments],
            deployments
                .GroupBy(static d => d.Settings.Model, StringComparer.Ordinal)
                .Select(group => new Route(
                    group.Key,
                    [
                        [.. group.Select(static d => new WeightedDeployment(d, d.Settings.Weight))],
                    ],
                    pipeline
                ))
        );
    }

    /// <summary>Where calls of a model go, or null.</summary>
    public Route? Find(string model) =>
        _exact.TryGetValue(model, out var exact)
            ? exact
            : Array.Find(_patterns, r => model.AsSpan().StartsWith(r.Model.AsSpan(0, r.Model.Length - 1)));

    public void Dispose()
    {
        foreach (var deployment in _deployments)
        {
            deployment.Provider.Dispose();
            deployment.Health.Dispose();
        }
    }
}
