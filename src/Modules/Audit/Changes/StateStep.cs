using Verbatim.Platform.Events;

namespace Verbatim.Modules.Audit.Changes;

/// <summary>An event, and what it made of the document.</summary>
/// <param name="Event">The event.</param>
/// <param name="IsIntact">Its bytes have the leaf hash that is stored with it.</param>
/// <param name="Before">The state before, or null when there was none.</param>
/// <param name="After">The state after, or null when there is none.</param>
/// <param name="State">The document itself, of which <paramref name="After"/> is the JSON.</param>
/// <param name="Fault">Why there is no state after it although the stream has a document; null when all is well.</param>
internal sealed record StateStep(
    RecordedEvent Event,
    bool IsIntact,
    RawJson? Before,
    RawJson? After,
    object? State,
    StateFault? Fault
)
{
    /// <summary>The event's data with what is sealed in it opened, or null when nothing is.</summary>
    public RawJson? Opened { get; init; }

    /// <summary>The event's data for a person.</summary>
    public RawJson Data => Opened ?? new RawJson(Event.Data);
}
