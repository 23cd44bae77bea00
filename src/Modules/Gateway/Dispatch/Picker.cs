using System.Diagnostics.CodeAnalysis;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>
/// Chooses where a call goes: among the deployments of the first tier that can help, by their weights, and of two the one that would answer sooner
/// when the other is much slower or much busier. A deployment is tried again only when no other is left.
/// </summary>
internal sealed class Picker(InferenceOrder order)
{
    // Below this a difference is noise, and the weights are what was asked for.
    private const double MuchWorse = 2;

    // The golden ratio's part: successive multiples fall evenly into [0, 1), so that shares come out exact over few calls.
    private const double Stride = 0.618033988749895;

    private static long s_calls;

    private readonly List<Deployment> _tried = [];
    private WireError? _refusal;

    /// <summary>The deployments that were tried.</summary>
    public IReadOnlyList<Deployment> Tried => _tried;

    /// <summary>Why no deployment of the route can do what is asked for; null when one can.</summary>
    public WireError? Refusal => _refusal;

    /// <summary>The next deployment to try that has not been tried; false when none is left that may be asked now.</summary>
    public bool TryNext([NotNullWhen(true)] out Deployment? next)
    {
        WireError? refusal = null;
        var anyCan = false;
        foreach (var tier in order.Route.Tiers)
        {
            var able = new List<WeightedDeployment>(tier.Count);
            for (var i = 0; i < tier.Count; i++)
            {
                var candidate = tier[i];
                if (!order.CanBeDoneBy(candidate.Deployment, out var why))
                {
                    refusal ??= why;
                    continue;
                }
                anyCan = true;
                if (
                    !_tried.Contains(candidate.Deployment)
                    && candidate.Deployment.Health.Unavailable() == TimeSpan.Zero
                )
                    able.Add(candidate);
            }
            if (able.Count > 0)
            {
                next = Choose(able);
                _tried.Add(next);
                return true;
            }
        }
        _refusal = anyCan ? null : refusal;
        next = null;
        return false;
    }

    /// <summary>How long until one of the deployments may be asked again.</summary>
    public TimeSpan SoonestAvailable()
    {
        var soonest = TimeSpan.MaxValue;
        foreach (var candidate in order.Route.Tiers.SelectMany(static tier => tier))
        {
            var wait = candidate.Deployment.Health.Unavailable();
            soonest = wait < soonest ? wait : soonest;
        }
        return soonest;
    }

    private static Deployment Choose(List<WeightedDeployment> able)
    {
        var first = Draw(able);
        var chosen = able[first].Deployment;
        if (able.Count == 1)
            return chosen;
        able.RemoveAt(first);
        var other = able[Draw(able)].Deployment;
        return chosen.Health.Score > other.Health.Score * MuchWorse ? other : chosen;
    }

    private static int Draw(List<WeightedDeployment> able)
    {
        if (able.Count == 1)
            return 0;
        var total = 0;
        foreach (var candidate in able)
            total += candidate.Weight;
        var at = Interlocked.Increment(ref s_calls) * Stride % 1 * total;
        for (var i = 0; i < able.Count; i++)
        {
            at -= able[i].Weight;
            if (at < 0)
                return i;
        }
        return able.Count - 1;
    }
}
