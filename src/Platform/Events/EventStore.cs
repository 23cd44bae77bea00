using Verbatim.Platform.PersonalData;

namespace Verbatim.Platform.Events;

/// <summary>Events to append to one stream.</summary>
/// <param name="StreamType">The stored name of the stream's type.</param>
/// <param name="StreamId">The stream; a new one takes its id from <see cref="IdSource"/>.</param>
/// <param name="ExpectedVersion">The version that the stream must have: 0 for a new one.</param>
/// <param name="Events">At least one. They are not changed any more, nor is the memory that they refer to: subscriptions may get these very objects.</param>
public sealed record StreamEvents(string StreamType, Guid StreamId, long ExpectedVersion, IReadOnlyList<IEvent> Events);

/// <summary>
/// The log of all events. An append that has returned is durable: committed with <c>synchronous_commit=on</c>. Positions are
/// dense and in the order of commits, so whoever has read position N has seen everything up to N.
/// </summary>
public sealed class EventStore
{
    /// <summary>The most bytes that the events of one append may have as JSON, all together.</summary>
    public const int MaxAppendBytes = 64 * 1024 * 1024;

    private const int MaxActorLength = 100;
    private const int MaxCorrelationLength = 128;

    private readonly DocumentCatalog _documents;
    private readonly LogWriter _writer;
    private readonly LogReader _reader;

    internal EventStore(
        EventCatalog catalog,
        DocumentCatalog documents,
        SubjectKeys keys,
        LogWriter writer,
        LogReader reader
    )
    {
        Catalog = catalog;
        Keys = keys;
        _documents = documents;
        _writer = writer;
        _reader = reader;
    }

    /// <summary>Names and shapes of all events.</summary>
    public EventCatalog Catalog { get; }

    internal SubjectKeys Keys { get; }

    /// <summary>Appends to one stream; returns after the commit.</summary>
    /// <returns>Where the events are, or the conflict: a stale expected version is an answer, not an exception.</returns>
    /// <inheritdoc cref="AppendAsync(AppendContext, IReadOnlyList{StreamEvents}, IReadOnlyList{SqlWrite}, CancellationToken)"/>
    public Task<AppendResult> AppendAsync(
        AppendContext context,
        StreamEvents events,
        CancellationToken cancellationToken
    ) => AppendAsync(context, [events], [], cancellationToken);

    /// <summary>Appends to several streams and carries out statements, all in one transaction or not at all.</summary>
    /// <remarks>Once it waits at the writer an append is not cancelled any more: its outcome must be known.</remarks>
    /// <exception cref="ArgumentException">
    /// There is no event, a name is malformed, it is larger than <see cref="MaxAppendBytes"/>, or the stream belongs to a document with
    /// inline snapshots, which <see cref="DocumentStore"/> alone may write: its row would stay behind.
    /// </exception>
    /// <exception cref="LogUnavailableException">Postgres did not come back in time.</exception>
    /// <exception cref="Npgsql.PostgresException">A statement failed; nothing was stored.</exception>
    public Task<AppendResult> AppendAsync(
        AppendContext context,
        IReadOnlyList<StreamEvents> streams,
        IReadOnlyList<SqlWrite> writes,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(streams);
        ArgumentNullException.ThrowIfNull(writes);
        var encoding = EncodeAsync(context, streams, cancellationToken);
        // Nearly always the keys are remembered: then nothing stands between the caller and the commit.
        return encoding.IsCompletedSuccessfully
            ? AppendAsync(encoding.Result, writes, cancellationToken)
            : AppendAsync(encoding, writes, cancellationToken);
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

    /// <summary>
    /// Chosen events in the order of the log, in pages of a few megabytes at most, or of one larger event. Between two pages no connection
    /// is kept.
    /// </summary>
    /// <param name="filter">Which events.</param>
    /// <param name="after">Only events behind this position,</param>
    /// <param name="upTo">and up to this one.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ArgumentException">A stream is given without its organization.</exception>
    public IAsyncEnumerable<IReadOnlyList<RecordedEvent>> ReadChosenAsync(
        EventFilter filter,
        long after,
        long upTo,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(filter);
        return _reader.ReadChosenAsync(filter, after, upTo, cancellationToken);
    }

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
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<AppendResult>(cancellationToken);
        if (streams.Count == 0)
            throw new ArgumentException("There is no event to append.", nameof(streams));
        if (streams[0].Context.Also is { } also)
            writes = [.. writes, also];
        var pending = new PendingAppend(streams, writes);
        if (pending.Bytes > MaxAppendBytes)
            throw new ArgumentException(
                $"The append has {pending.Bytes} bytes; at most {MaxAppendBytes} are stored at once.",
                nameof(streams)
            );
        _writer.Enqueue(pending);
        return pending.Task;
    }

    private async Task<AppendResult> AppendAsync(
        ValueTask<StreamAppend[]> encoding,
        IReadOnlyList<SqlWrite> writes,
        CancellationToken cancellationToken
    ) => await AppendAsync(await encoding, writes, cancellationToken);

    private async ValueTask<StreamAppend[]> EncodeAsync(
        AppendContext context,
        IReadOnlyList<StreamEvents> streams,
        CancellationToken cancellationToken
    )
    {
        var encoded = new StreamAppend[streams.Count];
        for (var i = 0; i < encoded.Length; i++)
        {
            if (_documents.Find(streams[i].StreamType) is { Snapshot: SnapshotKind.Inline } document)
                throw new ArgumentException(
                    $"A stream of type '{document.StreamType}' is written through DocumentStore: {document.ClrType.Name} has a row to keep.",
                    nameof(streams)
                );
            encoded[i] = Encode(
                context,
                streams[i],
                await EncodeAsync(context, streams[i], cancellationToken),
                snapshot: null
            );
        }
        return encoded;
    }

    internal static StreamAppend Encode(
        AppendContext context,
        StreamEvents stream,
        EncodedEvent[] events,
        SnapshotWrite? snapshot
    )
    {
        if (events.Length == 0)
            throw new ArgumentException("There is no event to append.", nameof(stream));
        if (stream.ExpectedVersion < 0)
            throw new ArgumentException("A version is not negative; 0 is that of a new stream.", nameof(stream));
        if (!StreamTypeAttribute.IsValid(stream.StreamType))
            throw new ArgumentException($"'{stream.StreamType}' is not the name of a stream type.", nameof(stream));
        if (!IsPrintable(context.Actor, 1, MaxActorLength))
            throw new ArgumentException($"An actor has 1 to {MaxActorLength} printable characters.", nameof(context));
        if (!IsPrintable(context.Correlation, 0, MaxCorrelationLength))
            throw new ArgumentException(
                $"A correlation has up to {MaxCorrelationLength} printable characters.",
                nameof(context)
            );
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

    internal async ValueTask<EncodedEvent[]> EncodeAsync(
        AppendContext context,
        StreamEvents stream,
        CancellationToken cancellationToken
    )
    {
        var generation = Keys.Generation;
        var encoded = new EncodedEvent[stream.Events.Count];
        for (var i = 0; i < encoded.Length; i++)
        {
            var @event = stream.Events[i];
            var shape = Catalog.ShapeOf(@event.GetType());
            var data = shape.HasPersonalData
                ? await SealingScope
                    .OfEvent(Keys, context.TenantId, stream.StreamId, shape.Name, context.Subject)
                    .WriteAsync(@event, shape.Json, cancellationToken)
                : RecordJson.Write(@event, shape.Json);
            encoded[i] = new EncodedEvent(shape.Name, shape.Version, data)
            {
                Original = new OriginalEvent(@event, generation),
            };
        }
        return encoded;
    }

    // Without surrogates: half of a pair is not UTF-8, so what is hashed and what Postgres stores might not be the same.
    private static bool IsPrintable(string? text, int minLength, int maxLength) =>
        text is not null
        && text.Length >= minLength
        && text.Length <= maxLength
        && !text.AsSpan().ContainsAnyExceptInRange(' ', '\uD7FF');
}
