using Verbatim.Modules.Gateway.Dispatch;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>Where calls of a model name go: tiers of deployments, the next tier only when the one before cannot help.</summary>
/// <param name="Model">The name, or the pattern.</param>
/// <param name="Tiers">None is empty.</param>
/// <param name="Pipeline">How often and when it is tried again.</param>
internal sealed record Route(
    string Model,
    IReadOnlyList<IReadOnlyList<WeightedDeployment>> Tiers,
    RoutePipeline Pipeline
)
{
    /// <summary>Since when there is this name; null where it is built in.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>True when it stands for one model name, which can be listed.</summary>
    public bool IsExact => !Model.EndsWith('*');

    /// <summary>The part of it that goes to one deployment; null when that is not in it.</summary>
    public Route? OnlyAt(Guid deploymentId)
    {
        foreach (var candidate in Tiers.SelectMany(static tier => tier))
        {
            if (candidate.Deployment.Settings.Id == deploymentId)
                return this with
                {
                    Tiers =
                    [
                        [candidate],
                    ],
                };
        }
        return null;
    }
}

/// <summary>A deployment and its share of the calls among those beside it.</summary>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct WeightedDeployment(Deployment Deployment, int Weight);
