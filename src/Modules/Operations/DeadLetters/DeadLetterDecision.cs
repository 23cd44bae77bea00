using Verbatim.Platform.Events;

namespace Verbatim.Modules.Operations.DeadLetters;

/// <summary>What people decided about a dead letter, last.</summary>
[StreamType("dead-letter", Owner = DocumentOwner.Organization, Snapshot = SnapshotKind.Folded)]
internal sealed record DeadLetterDecision(string Subscription, long Position, string Decided)
    : IDocument<DeadLetterDecision>
{
    public static DeadLetterDecision Evolve(DeadLetterDecision? current, IEvent @event) =>
        @event switch
        {
            DeadLetterRetried e => new DeadLetterDecision(e.Subscription, e.Position, "retry"),
            DeadLetterDiscarded e => new DeadLetterDecision(e.Subscription, e.Position, "discard"),
            _ => throw new UnexpectedEventException(typeof(DeadLetterDecision), @event),
        };
}

[EventType("operations.dead-letter-retried")]
internal sealed record DeadLetterRetried(string Subscription, long Position) : IEvent;

[EventType("operations.dead-letter-discarded")]
internal sealed record DeadLetterDiscarded(string Subscription, long Position) : IEvent;
