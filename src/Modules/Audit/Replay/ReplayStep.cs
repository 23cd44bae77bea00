using Verbatim.Platform.Events;

namespace Verbatim.Modules.Audit.Replay;

/// <summary>An event, and what it made of the document.</summary>
/// <param name="Event">The event.</param>
/// <param name="IsIntact">Its bytes have the leaf hash that is stored with it.</param>
/// <param name="Before">The state before, or null when there was none.</param>
/// <param name="After">The state after, or null when there is none.</param>
/// <param name="State">The document itself, of which <paramref name="After"/> is the JSON.</param>
/// <param name="Fault">Why there is no state after it although the stream has a document; null when all is well.</param>
internal sealed record ReplayStep(
    RecordedEvent Event,
    bool IsIntact,
    RawJson? Before,
    RawJson? After,
    object? State,
    string? Fault
)
{
    /// <summary>The event's data with what is sealed in it opened, or null when nothing is.</summary>
    public RawJson? Opened { get; init; }

    /// <summary>The event's data for a person.</summary>
    public RawJson Data => Opened ?? new RawJson(Event.Data);
}

/// <summary>Where the steps of a replay go.</summary>
internal interface IReplayWriter
{
    /// <summary>Says which stream it is.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="shown">The version up to which it is replayed.</param>
    /// <param name="version">The version that it has.</param>
    /// <param name="hasDocument">Its events add up to a document.</param>
    Task BeginAsync(FoundStream stream, long shown, long version, bool hasDocument);

    Task WriteAsync(FoundStream stream, ReplayStep step);

    Task EndAsync();
}
