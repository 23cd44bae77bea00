namespace Verbatim.Modules.Audit.Streams;

/// <summary>A stream, in a list of streams.</summary>
/// <param name="StreamId">The stream.</param>
/// <param name="StreamType">What it is the history of, for instance <c>inference</c>.</param>
/// <param name="Version">The number of its events.</param>
/// <param name="BeganAt">When its first event was recorded.</param>
/// <param name="BeganBy">Who caused its first event.</param>
/// <param name="LastEventAt">When its last event was recorded.</param>
/// <param name="LastEventType">The type of its last event.</param>
/// <param name="LastPosition">The place of its last event in the log of all events.</param>
/// <param name="MatchPosition">
/// The place of its latest event that matches the filters, by which the list is ordered. The same as <c>lastPosition</c> when nothing is
/// filtered.
/// </param>
public sealed record StreamSummary(
    Guid StreamId,
    string StreamType,
    long Version,
    DateTime BeganAt,
    string BeganBy,
    DateTime LastEventAt,
    string LastEventType,
    long LastPosition,
    long MatchPosition
);
