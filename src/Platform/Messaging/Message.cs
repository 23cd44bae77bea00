using Npgsql;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Messaging;

/// <summary>What a handler gets beside the event itself.</summary>
/// <param name="Recorded">The event as it stands in the log.</param>
/// <param name="Transaction">
/// The transaction that also moves the subscription's checkpoint: what a handler writes through its connection happens exactly once.
/// </param>
public sealed record Message(RecordedEvent Recorded, NpgsqlTransaction Transaction)
{
    /// <summary>
    /// The table, with its schema, that a <see cref="ProjectionAttribute">projection</see> is to write to; empty for another subscription.
    /// </summary>
    public string Table { get; init; } = "";
}
