namespace Verbatim.Platform.Events;

/// <summary>Who appends, and for which request: stored with every event.</summary>
/// <param name="TenantId">The organization whose streams are written.</param>
/// <param name="Actor"><c>user:&lt;uuid&gt;</c>, <c>api-key:&lt;uuid&gt;</c> or <c>system:&lt;name&gt;</c>; 100 characters at most.</param>
/// <param name="Correlation">The request's id, empty if there is none; 128 characters at most.</param>
public readonly record struct AppendContext(Guid TenantId, string Actor, string Correlation);

/// <summary>What an append came to.</summary>
/// <param name="LastPosition">The position of its last event, or 0 when it conflicted.</param>
/// <param name="Time">The time that its events bear.</param>
/// <param name="Conflict">Set when a stream was not at its expected version; nothing was stored.</param>
public readonly record struct AppendResult(long LastPosition, DateTimeOffset Time, VersionConflict? Conflict);

/// <summary>A stream was not at the version that the append expected.</summary>
/// <param name="StreamId">The stream.</param>
/// <param name="Expected">The version that was expected; 0 means that the stream was expected not to exist.</param>
/// <param name="Actual">The version that it has.</param>
public sealed record VersionConflict(Guid StreamId, long Expected, long Actual);

/// <summary>The log cannot be written now: Postgres did not come back in time. Nothing was stored; try again later.</summary>
public sealed class LogUnavailableException(string message, Exception? inner) : Exception(message, inner);

/// <summary>A statement that is carried out in the append's own transaction.</summary>
/// <param name="Text">SQL with positional parameters <c>$1</c>, <c>$2</c> …</param>
/// <param name="Parameters">Their values, of types that Npgsql maps by itself.</param>
public sealed record SqlWrite(string Text, params IReadOnlyList<object> Parameters);

/// <summary>Events for one stream, encoded.</summary>
internal sealed class StreamAppend
{
    public required AppendContext Context { get; init; }

    public required string StreamType { get; init; }

    public required Guid StreamId { get; init; }

    /// <summary>0: the stream must not exist yet.</summary>
    public required long ExpectedVersion { get; init; }

    public required EncodedEvent[] Events { get; init; }

    /// <summary>The state after the events, for the document's table.</summary>
    public SnapshotWrite? Snapshot { get; init; }
}

internal readonly record struct EncodedEvent(string Type, int TypeVersion, byte[] Data);

internal sealed record SnapshotWrite(DocumentShape Document, byte[] Json);

/// <summary>One atomic append, waiting for its turn at the writer.</summary>
internal sealed class PendingAppend(IReadOnlyList<StreamAppend> streams, IReadOnlyList<SqlWrite> writes)
    : TaskCompletionSource<AppendResult>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public IReadOnlyList<StreamAppend> Streams { get; } = streams;

    public IReadOnlyList<SqlWrite> Writes { get; } = writes;

    public int EventCount { get; } = streams.Sum(s => s.Events.Length);

    public long Bytes { get; } =
        streams.Sum(s => s.Events.Sum(e => (long)e.Data.Length) + (s.Snapshot?.Json.Length ?? 0));
}
