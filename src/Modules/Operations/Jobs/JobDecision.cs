using Verbatim.Platform.Events;

namespace Verbatim.Modules.Operations.Jobs;

/// <summary>What people decided about a job, last.</summary>
[StreamType("job", Owner = DocumentOwner.Organization, Snapshot = SnapshotKind.Folded)]
internal sealed record JobDecision(string Type, string Decided) : IDocument<JobDecision>
{
    public static JobDecision Evolve(JobDecision? current, IEvent @event) =>
        @event switch
        {
            JobRetried e => new JobDecision(e.Type, "retry"),
            JobDiscarded e => new JobDecision(e.Type, "discard"),
            JobCancelled e => new JobDecision(e.Type, "cancel"),
            _ => throw new UnexpectedEventException(typeof(JobDecision), @event),
        };
}

[EventType("operations.job-retried")]
internal sealed record JobRetried(string Type) : IEvent;

[EventType("operations.job-discarded")]
internal sealed record JobDiscarded(string Type) : IEvent;

[EventType("operations.job-cancelled")]
internal sealed record JobCancelled(string Type) : IEvent;
