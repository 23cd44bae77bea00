using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Platform.Sweeping;

namespace Verbatim.Platform.Messaging;

/// <summary>Dead letters that were decided about; the decision is in the log.</summary>
internal sealed class ClosedDeadLetters(JobSettings settings) : Sweep("platform.dead_letters", "closed_at")
{
    protected override TimeSpan Keep => settings.Keep;
}
