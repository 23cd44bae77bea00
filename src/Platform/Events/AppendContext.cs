using System.Runtime.InteropServices;
using Verbatim.Platform.Http;

namespace Verbatim.Platform.Events;

/// <summary>Who appends, and for which request: stored with every event.</summary>
/// <param name="TenantId">The organization whose streams are written.</param>
/// <param name="Actor"><c>user:&lt;uuid&gt;</c>, <c>api-key:&lt;uuid&gt;</c> or <c>system:&lt;name&gt;</c>; 100 characters at most.</param>
/// <param name="Correlation">The request's id, empty if there is none; 128 characters at most.</param>
public readonly record struct AppendContext(Guid TenantId, string Actor, string Correlation)
{
    /// <summary>A statement for the transaction of every append in this context, or null.</summary>
    public SqlWrite? Also { get; init; }

    /// <summary>
    /// The person who acts, whose key seals the personal data of the events (<see cref="PersonalAttribute"/>); null when nobody does, as at a
    /// first start: then what is personal is sealed for the stream that it is in.
    /// </summary>
    public Guid? Subject { get; init; }

    /// <summary>Null: any document may be decided about. Otherwise one with another owner is as if it did not exist.</summary>
    public Guid? OnlyOwnedBy { get; init; }

    /// <summary>The versions of the document that the caller has seen; null when they do not say.</summary>
    public IfMatch? IfMatch { get; init; }

    internal Access Access => new(TenantId, OnlyOwnedBy);
}

/// <summary>What an append came to.</summary>
/// <param name="LastPosition">The position of its last event, or 0 when it conflicted.</param>
/// <param name="Time">The time that its events bear.</param>
/// <param name="Conflict">Set when a stream was not at its expected version; nothing was stored.</param>
public readonly record struct AppendResult(long LastPosition, DateTimeOffset Time, VersionConflict? Conflict);

/// <summary>A stream was not at the version that the append expected.</summary>
/// <param name="StreamId">The stream.</param>
/// <param name="Expected">The version that was expected; 0 means that the stream was expected not to exist.</param>
/// <param name="Actual">The version that it has.</param>
public sealed record VersionConflict(Guid StreamId, long Expected, long Actual)
{
    // The version is right, but the document was repaired after it had been loaded: what was decided rests on a wrong state.
    internal bool IsRepair => Expected == Actual;
}

/// <summary>The log cannot be written now: Postgres did not come back in time. Try again later.</summary>
public sealed class LogUnavailableException(string message, Exception? inner = null, bool isOutcomeUnknown = false)
    : Exception(message, inner)
{
    /// <summary>
    /// False: nothing was stored. True: Postgres went away in the middle of the commit, so the events may or may not be in the log;
    /// the stream's version tells when it is back.
    /// </summary>
    public bool IsOutcomeUnknown { get; } = isOutcomeUnknown;
}

/// <summary>A statement that is carried out in the append's own transaction.</summary>
/// <remarks>
/// It runs while the log is locked for everybody: it must be quick, and must not need a row that others hold for long. It waits two
/// seconds for such a row; then this append fails, and no other.
/// </remarks>
/// <param name="Text">One statement of SQL with positional parameters <c>$1</c>, <c>$2</c> …</param>
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

    public long NewVersion => ExpectedVersion + Events.Length;

    public StreamKey Key => new(Context.TenantId, StreamId);
}

[StructLayout(LayoutKind.Auto)]
internal readonly record struct StreamKey(Guid TenantId, Guid StreamId);

/// <param name="Type">The stored name.</param>
/// <param name="TypeVersion">The stored version.</param>
/// <param name="Data">The JSON to be stored.</param>
internal readonly record struct EncodedEvent(string Type, int TypeVersion, ReadOnlyMemory<byte> Data)
{
    /// <summary>What the data was written from.</summary>
    public OriginalEvent? Original { get; init; }
}

/// <summary>An event as it was handed to the store.</summary>
/// <param name="Event">In the newest version of its type.</param>
/// <param name="KeyGeneration">
/// That of <see cref="PersonalData.SubjectKeys"/> before it was sealed: once somebody may have been erased since, only what can still be opened
/// counts.
/// </param>
internal sealed record OriginalEvent(IEvent Event, long KeyGeneration);

/// <param name="Document">Whose table it goes to.</param>
/// <param name="Json">The state.</param>
/// <param name="Generation">The generation of documents in which the state before it was loaded; null if there was none.</param>
internal sealed record SnapshotWrite(DocumentShape Document, byte[] Json, long? Generation);

/// <summary>One atomic append, waiting for its turn at the writer.</summary>
internal sealed class PendingAppend : TaskCompletionSource<AppendResult>
{
    public PendingAppend(IReadOnlyList<StreamAppend> streams, IReadOnlyList<SqlWrite> writes)
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        Streams = streams;
        Writes = writes;
        for (var i = 0; i < streams.Count; i++)
        {
            EventCount += streams[i].Events.Length;
            Bytes += streams[i].Snapshot?.Json.Length ?? 0;
            foreach (var @event in streams[i].Events)
                Bytes += @event.Data.Length;
        }
    }

    public IReadOnlyList<StreamAppend> Streams { get; }

    public IReadOnlyList<SqlWrite> Writes { get; }

    public int EventCount { get; }

    public long Bytes { get; }
}
