using Verbatim.Platform.Evidence.Anchors;
using Verbatim.Platform.Modules;

namespace Verbatim.Platform.Evidence;

/// <summary>
/// Has the settings of evidence read before anything is done: a wrong one stops the start with its sentence, and not behind the secrets of a
/// first start that are shown only once.
/// </summary>
internal sealed class EvidenceSettings(TreeSealer sealer, AnchorTargets targets) : IStartupStep
{
    public int Order => int.MinValue;

    // Whoever was made has read its settings.
    public Task RunAsync(CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sealer);
        ArgumentNullException.ThrowIfNull(targets);
        return Task.CompletedTask;
    }
}
