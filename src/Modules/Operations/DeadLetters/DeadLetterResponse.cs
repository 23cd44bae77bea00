using System.Text.Json.Serialization;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;

namespace Verbatim.Modules.Operations.DeadLetters;

/// <summary>An event that a subscription could not handle, or that waits behind such a one of its stream.</summary>
/// <param name="Id">The letter.</param>
/// <param name="Subscription">Who could not handle it.</param>
/// <param name="StreamId">The event's stream.</param>
/// <param name="StreamType">The type of that stream.</param>
/// <param name="Position">The event's position in the log.</param>
/// <param name="Type">The event's stored name.</param>
/// <param name="Status">
/// `waiting` for your decision; `retrying` or `discarding`, about to be done; `parked` behind an earlier one of its stream; `handled` or
/// `discarded`.
/// </param>
/// <param name="Reason">Why it failed last; null when it is parked.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="FirstFailedAt">When it failed first.</param>
/// <param name="LastFailedAt">When it failed last.</param>
/// <param name="CreatedAt">When it became a dead letter.</param>
/// <param name="ClosedAt">When it was handled or discarded.</param>
/// <param name="Payload">The event's data as it stands in the log; only when one letter is asked for.</param>
public sealed record DeadLetterResponse(
    Guid Id,
    string Subscription,
    Guid StreamId,
    string StreamType,
    long Position,
    string Type,
    string Status,
    string? Reason,
    int Attempts,
    DateTime? FirstFailedAt,
    DateTime? LastFailedAt,
    DateTime CreatedAt,
    DateTime? ClosedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? Payload
)
{
    internal static readonly DeadLetterResponse Example = new(
        Guid.Parse("0199a4d1-11aa-7c3e-9d51-2f0c8d1e4a99"),
        "usage.settle-on-inference-completed",
        Guid.Parse("0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77"),
        "inference",
        Position: 4812,
        "gateway.inference-completed",
        "waiting",
        "InvalidOperationException: There is no price for this model.",
        Attempts: 10,
        new DateTime(2026, 3, 2, 9, 30, 0, DateTimeKind.Utc),
        new DateTime(2026, 3, 2, 9, 32, 4, DateTimeKind.Utc),
        new DateTime(2026, 3, 2, 9, 32, 4, DateTimeKind.Utc),
        ClosedAt: null,
        Payload: null
    );

    internal static DeadLetterResponse From(DeadLetter letter, RawJson? payload = null) =>
        new(
            letter.Id,
            letter.Subscription,
            letter.StreamId,
            letter.StreamType,
            letter.Position,
            letter.Type,
            letter.Status,
            letter.Reason,
            letter.Attempts,
            letter.FirstFailedAt,
            letter.LastFailedAt,
            letter.CreatedAt,
            letter.ClosedAt,
            payload
        );
}
