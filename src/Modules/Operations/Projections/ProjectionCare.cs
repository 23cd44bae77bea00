using Verbatim.Platform.Events;

namespace Verbatim.Modules.Operations.Projections;

/// <summary>What people of an organization asked of a projection.</summary>
[StreamType("projection", Owner = DocumentOwner.Organization, Snapshot = SnapshotKind.Folded)]
internal sealed record ProjectionCare(string Name, int Requests) : IDocument<ProjectionCare>
{
    public static ProjectionCare Evolve(ProjectionCare? current, IEvent @event) =>
        @event switch
        {
            ProjectionRebuildRequested e => new ProjectionCare(e.Name, (current?.Requests ?? 0) + 1),
            _ => throw new UnexpectedEventException(typeof(ProjectionCare), @event),
        };
}

[EventType("operations.projection-rebuild-requested")]
internal sealed record ProjectionRebuildRequested(string Name) : IEvent;
