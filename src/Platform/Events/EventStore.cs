namespace Verbatim.Platform.Events;

/// <summary>Events to append to one stream.</summary>
/// <param name="StreamType">The stored name of the stream's type.</param>
/// <param name="StreamId">The stream; its own id source is <see cref="Guid.CreateVersion7()"/>.</param>
/// <param name="ExpectedVersion">The version that the stream must have: 0 for a new one.</param>
/// <param name="Events">At least one.</param>
public sealed record StreamEvents(string StreamType, Guid StreamId, long ExpectedVersion, IReadOnlyList<IEvent> Events);

/// <summary>
/// The log of all events. An append that has returned is durable: committed with <c>synchronous_commit=on</c>. Positions are
/// dense and in the order of commits, so whoever has read position N has seen everything up to N.
/// </summary>
public sealed class EventStore
{
    private readonly LogWriter _writer;
    private readonly LogReader _reader;

    internal EventStore(EventCatalog catalog, LogWriter writer, LogReader reader)
    {
        Catalog = catalog;
        _writer = writer;
        _reader = reader;
    }

    /// <summary>Names and shapes of all events.</summary>
    public EventCatalog Catalog { get; }

    /// <summary>Appends to one stream; returns after the commit.</summary>
    /// <returns>Where the events are, or the conflict: a stale expected version is an answer, not an exception.</returns>
    /// <exception cref="LogUnavailableException">Postgres did not come back in time; nothing was stored.</exception>
    public Task<AppendResult> AppendAsync(
        AppendContext context,
        StreamEvents events,
        CancellationToken cancellationToken
    ) => AppendAsync(context, [events], [], cancellationToken);

    /// <summary>Appends to several streams and carries out statements, all in one transaction or not at all.</summary>
    /// <remarks>Once it waits at the writer an append is not cancelled any more: its outcome must be known.</remarks>
    /// <exception cref="LogUnavailableException">Postgres did not come back in time; nothing was stored.</exception>
    public Task<AppendResult> AppendAsync(
        AppendContext context,
        IReadOnlyList<StreamEvents> streams,
        IReadOnlyList<SqlWrite> writes,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(streams);
        ArgumentNullException.ThrowIfNull(writes);
        var encoded = new StreamAppend[streams.Count];
        for (var i = 0; i < encoded.Length; i++)
            encoded[i] = Encode(context, streams[i], snapshot: null);
        return AppendAsync(encoded, writes, cancellationToken);
    }

    /// <summary>A stream's events in order, from the first that is asked for.</summary>
    /// <param name="tenantId">The organization; another one's stream reads as empty.</param>
    /// <param name="streamId">The stream.</param>
    /// <param name="fromVersion">1 for the whole stream.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        Guid tenantId,
        Guid streamId,
        long fromVersion,
        CancellationToken cancellationToken
    ) => _reader.ReadStreamAsync(tenantId, streamId, fromVersion, long.MaxValue, cancellationToken);

    /// <summary>A part of a stream's events in order.</summary>
    /// <param name="tenantId">The organization; another one's stream reads as empty.</param>
    /// <param name="streamId">The stream.</param>
    /// <param name="fromVersion">The first that is wanted.</param>
    /// <param name="toVersion">The last that is wanted. A reader that stops early instead still waits for all that was asked for.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        Guid tenantId,
        Guid streamId,
        long fromVersion,
        long toVersion,
        CancellationToken cancellationToken
    ) => _reader.ReadStreamAsync(tenantId, streamId, fromVersion, toVersion, cancellationToken);

    /// <summary>All events behind a position, in the order of the log, up to what is the head when the reading begins.</summary>
    /// <param name="after">0 for the whole log.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public IAsyncEnumerable<RecordedEvent> ReadAllAsync(long after, CancellationToken cancellationToken) =>
        _reader.ReadAllAsync(after, cancellationToken);

    /// <summary>The last position of the log, 0 when it is empty.</summary>
    public Task<long> ReadHeadAsync(CancellationToken cancellationToken) => _reader.ReadHeadAsync(cancellationToken);

    /// <summary>The highest position that this instance knows of, without asking the database. What it appends from now on lies behind it.</summary>
    public long LastKnownPosition => _writer.LastKnownPosition;

    internal Task<AppendResult> AppendAsync(
        IReadOnlyList<StreamAppend> streams,
        IReadOnlyList<SqlWrite> writes,
        CancellationToken cancellationToken
    )
    {
        cancellationToken.ThrowIfCancellationRequested();
        var pending = new PendingAppend(streams, writes);
        _writer.Enqueue(pending);
        return pending.Task;
    }

    internal StreamAppend Encode(AppendContext context, StreamEvents stream, SnapshotWrite? snapshot)
    {
        if (stream.Events.Count == 0)
            throw new ArgumentException("There is no event to append.", nameof(stream));
        var events = new EncodedEvent[stream.Events.Count];
        for (var i = 0; i < events.Length; i++)
        {
            var shape = Catalog.ShapeOf(stream.Events[i].GetType());
            events[i] = new EncodedEvent(shape.Name, shape.Version, Catalog.Write(stream.Events[i]));
        }
        return new StreamAppend
        {
            Context = context,
            StreamType = stream.StreamType,
            StreamId = stream.StreamId,
            ExpectedVersion = stream.ExpectedVersion,
            Events = events,
            Snapshot = snapshot,
        };
    }
}
