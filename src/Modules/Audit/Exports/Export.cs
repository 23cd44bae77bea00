using Verbatim.Platform.Events;

namespace Verbatim.Modules.Audit.Exports;

/// <summary>That somebody took events out of the system, and which: reading of that kind is on record like everything else.</summary>
[StreamType("export", Owner = DocumentOwner.Organization, Snapshot = SnapshotKind.Folded)]
internal sealed record Export(long TreeSize, long After, ExportedEvents Events) : IDocument<Export>
{
    public static Export Evolve(Export? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, ExportStarted e) => new Export(e.TreeSize, e.After, e.Events),
            _ => throw new UnexpectedEventException(typeof(Export), @event),
        };
}

/// <summary>An export begins. Recorded before its first byte leaves; who takes it is the event's actor.</summary>
/// <param name="TreeSize">The checkpoint that it is proven against.</param>
/// <param name="After">The position behind which it begins.</param>
/// <param name="Events">Which events were asked for.</param>
[EventType("audit.export-started")]
internal sealed record ExportStarted(long TreeSize, long After, ExportedEvents Events) : IEvent;

/// <summary>Which events of the organization were asked for; all of them where nothing is given. Nothing here tells of a person.</summary>
/// <param name="Types">Stored names of events.</param>
/// <param name="StreamType">The type of stream.</param>
/// <param name="StreamId">The stream.</param>
/// <param name="From">Recorded then or later.</param>
/// <param name="Before">Recorded before then.</param>
/// <param name="Limit">At most so many.</param>
internal sealed record ExportedEvents(
    IReadOnlyList<string>? Types,
    string? StreamType,
    Guid? StreamId,
    DateTimeOffset? From,
    DateTimeOffset? Before,
    long? Limit
)
{
    public EventFilter Of(Guid? tenantId) =>
        new()
        {
            TenantId = tenantId,
            Types = Types ?? [],
            StreamType = StreamType,
            StreamId = StreamId,
            From = From,
            Before = Before,
        };
}
