using Verbatim.Modules.Gateway.Providers;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>What one caller can ask: what their own organization has, then what is shared with it.</summary>
internal sealed class CatalogueView(CatalogueShelf own, CatalogueShelf shared)
{
    /// <summary>The routes that stand for one model name, by their names.</summary>
    public IReadOnlyList<Route> Exact { get; } =
    [
        .. own
            .Exact.Concat(shared.Exact.Where(s => !own.Exact.ContainsKey(s.Key)))
            .Select(static e => e.Value)
            .OfType<Route>()
            .OrderBy(static r => r.Model, StringComparer.Ordinal),
    ];

    /// <summary>The providers that they go to: those of the caller's own organization first.</summary>
    public IReadOnlyList<Provider> Providers { get; } =
    [
        .. own
            .Routes.Concat(shared.Routes)
            .SelectMany(static r => r.Tiers)
            .SelectMany(static tier => tier)
            .Select(static d => d.Deployment.Provider)
            .Distinct(),
    ];

    /// <summary>Where calls of a model go, or null.</summary>
    public Route? Find(string model) =>
        own.TryFind(model, out var route) || shared.TryFind(model, out route) ? route : null;
}

/// <summary>The routes of one origin.</summary>
/// <param name="Exact">Routes of one model name each; null for a name that is closed.</param>
/// <param name="Patterns">The longest first.</param>
internal sealed record CatalogueShelf(IReadOnlyDictionary<string, Route?> Exact, IReadOnlyList<Route> Patterns)
{
    /// <summary>All of them.</summary>
    public IEnumerable<Route> Routes => Exact.Values.OfType<Route>().Concat(Patterns);

    /// <summary>Whether the name is known here; it may be closed all the same.</summary>
    public bool TryFind(string model, out Route? route)
    {
        if (Exact.TryGetValue(model, out route))
            return true;
        foreach (var pattern in Patterns)
        {
            if (model.AsSpan().StartsWith(pattern.Model.AsSpan(0, pattern.Model.Length - 1)))
            {
                route = pattern;
                return true;
            }
        }
        return false;
    }
}
