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
// Times are DateTime in UTC, here and in the other answers: they are written with a Z, while the +00:00 of a DateTimeOffset becomes a
// space when it is copied into the query of the next request.
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
)
{
    internal static readonly StreamSummary Example = new(
        Samples.StreamId,
        "inference",
        Version: 2,
        Samples.BeganAt,
        Samples.Actor,
        Samples.BeganAt.AddMicroseconds(1_333_333),
        "gateway.inference-completed",
        LastPosition: 4812,
        MatchPosition: 4812
    );
}

/// <summary>What the examples of these routes have in common.</summary>
internal static class Samples
{
    public const string Actor = "api-key:0199a4b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b";

    public static readonly Guid StreamId = Guid.Parse("0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77");
    public static readonly DateTime BeganAt = new DateTime(2026, 3, 2, 9, 30, 0, DateTimeKind.Utc).AddMicroseconds(
        123_456
    );
}
