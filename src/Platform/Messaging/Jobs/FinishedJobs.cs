using Verbatim.Platform.Sweeping;

namespace Verbatim.Platform.Messaging.Jobs;

/// <summary>Jobs that have ended, but not those that are dead: they wait for a decision. What was decided about them is in the log.</summary>
internal sealed class FinishedJobs(JobSettings settings) : Sweep("platform.jobs", "finished_at")
{
    protected override TimeSpan Keep => settings.Keep;

    protected override string Condition => "status in ('done', 'cancelled', 'discarded')";
}
