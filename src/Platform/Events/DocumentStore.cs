using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Events;

/// <summary>
/// Loads documents and carries out decisions about them. A document's snapshot is written in the transaction of its events, so
/// what was decided is there for the next read.
/// </summary>
public sealed class DocumentStore
{
    private const int MaxAttempts = 5;

    private readonly Database _database;
    private readonly EventStore _events;
    private readonly DocumentCatalog _documents;

    internal DocumentStore(Database database, EventStore events, DocumentCatalog documents)
    {
        _database = database;
        _events = events;
        _documents = documents;
    }

    /// <summary>A document as it is now, or null when this tenant has none of this id.</summary>
    public async Task<Versioned<T>?> LoadAsync<T>(Guid tenantId, Guid id, CancellationToken cancellationToken)
        where T : class, IDocument<T>
    {
        var shape = _documents.Of<T>();
        if (shape.Snapshot == SnapshotKind.Folded)
            return await FoldAsync<T>(tenantId, id, _ => true, cancellationToken);

        await using var command = _database.Writes.CreateCommand(
            $"select version, data::text from {shape.Table} where tenant_id = $1 and id = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        return new Versioned<T>(shape.Read(reader.GetFieldValue<byte[]>(1)), reader.GetInt64(0));
    }

    /// <summary>A tenant's documents of one type, newest id first. Not for documents whose snapshot is folded.</summary>
    /// <param name="tenantId">The organization.</param>
    /// <param name="before">Only those with a smaller id, or null for the newest.</param>
    /// <param name="limit">The most rows to read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<IReadOnlyList<Identified<T>>> ListAsync<T>(
        Guid tenantId,
        Guid? before,
        int limit,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T>
    {
        var shape = _documents.Of<T>();
        await using var command = _database.Writes.CreateCommand(
            $"""
            select id, version, data::text from {shape.Table}
            where tenant_id = $1 and id < $2
            order by id desc limit $3
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = before ?? Guid.AllBitsSet });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var documents = new List<Identified<T>>();
        while (await reader.ReadAsync(cancellationToken))
            documents.Add(
                new Identified<T>(reader.GetGuid(0), shape.Read(reader.GetFieldValue<byte[]>(2)), reader.GetInt64(1))
            );
        return documents;
    }

    /// <summary>A document as it was after a version of its stream, or null when there was none then.</summary>
    public Task<Versioned<T>?> LoadAtVersionAsync<T>(
        Guid tenantId,
        Guid id,
        long version,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T> => FoldAsync<T>(tenantId, id, e => e.Version <= version, cancellationToken);

    /// <summary>A document as it was at an instant, or null when there was none then.</summary>
    public Task<Versioned<T>?> LoadAtAsync<T>(
        Guid tenantId,
        Guid id,
        DateTimeOffset at,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T> => FoldAsync<T>(tenantId, id, e => e.Time <= at, cancellationToken);

    /// <summary>
    /// Loads the document, lets <paramref name="decide"/> decide, and appends what it decided. When another append was faster
    /// the decision is made again on the newer state, a few times.
    /// </summary>
    /// <param name="context">Who decides, and for which request.</param>
    /// <param name="id">The document, and its stream; a new one for a document that does not exist yet.</param>
    /// <param name="decide">Pure: it may run several times.</param>
    /// <param name="cancellationToken">Gives up before the append, never in the middle of it.</param>
    /// <exception cref="ConcurrencyException">Others were faster each time.</exception>
    public async Task<Outcome<T>> DecideAsync<T>(
        AppendContext context,
        Guid id,
        Func<T?, Decision> decide,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T>
    {
        ArgumentNullException.ThrowIfNull(decide);
        var shape = _documents.Of<T>();
        for (var attempt = 1; ; attempt++)
        {
            var current = await LoadAsync<T>(context.TenantId, id, cancellationToken);
            var decision = decide(current?.Value);
            if (decision is Decision.Refusing { Refusal: var refusal })
                return new Outcome<T>(refusal);

            var appending = (Decision.Appending)decision;
            var events = appending.Events;
            if (events.Count == 0)
                return current is not null
                    ? new Outcome<T>(current)
                    : throw new InvalidOperationException(
                        $"Deciding nothing about a {shape.StreamType} that does not exist."
                    );

            var after = events.Aggregate(current?.Value, T.Evolve)!;
            var expected = current?.Version ?? 0;
            var snapshot = shape.Snapshot == SnapshotKind.Inline ? new SnapshotWrite(shape, shape.Write(after)) : null;
            var append = _events.Encode(context, new StreamEvents(shape.StreamType, id, expected, events), snapshot);
            var result = await _events.AppendAsync([append], appending.Writes, cancellationToken);
            if (result.Conflict is null)
                return new Outcome<T>(new Versioned<T>(after, expected + events.Count));
            if (attempt == MaxAttempts)
                throw new ConcurrencyException(result.Conflict);
        }
    }

    /// <summary>A document that does not exist yet, for <see cref="CreateAsync"/>.</summary>
    /// <param name="id">The document, and its stream.</param>
    /// <param name="events">Its first events, at least one.</param>
    public NewDocument New<T>(Guid id, params IReadOnlyList<IEvent> events)
        where T : class, IDocument<T>
    {
        ArgumentNullException.ThrowIfNull(events);
        var shape = _documents.Of<T>();
        var state =
            events.Aggregate((T?)null, T.Evolve) ?? throw new ArgumentException("There is no event.", nameof(events));
        var snapshot = shape.Snapshot == SnapshotKind.Inline ? new SnapshotWrite(shape, shape.Write(state)) : null;
        return new NewDocument(new StreamEvents(shape.StreamType, id, 0, events), snapshot);
    }

    /// <summary>Creates several documents and carries out statements, all in one transaction or not at all.</summary>
    /// <exception cref="LogUnavailableException">Postgres did not come back in time; nothing was stored.</exception>
    public Task<AppendResult> CreateAsync(
        AppendContext context,
        IReadOnlyList<NewDocument> documents,
        IReadOnlyList<SqlWrite> writes,
        CancellationToken cancellationToken
    ) =>
        _events.AppendAsync(
            [.. documents.Select(d => _events.Encode(context, d.Stream, d.Snapshot))],
            writes,
            cancellationToken
        );

    private async Task<Versioned<T>?> FoldAsync<T>(
        Guid tenantId,
        Guid id,
        Func<RecordedEvent, bool> until,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T>
    {
        var shape = _documents.Of<T>();
        T? state = null;
        long version = 0;
        await foreach (var recorded in _events.ReadStreamAsync(tenantId, id, 1, cancellationToken))
        {
            if (recorded.StreamType != shape.StreamType)
                return null;
            if (!until(recorded))
                break;
            state = T.Evolve(state, _events.Catalog.Read(recorded));
            version = recorded.Version;
        }
        return state is null ? null : new Versioned<T>(state, version);
    }
}

/// <summary>Others changed the same document again and again while a decision about it was made.</summary>
public sealed class ConcurrencyException(VersionConflict conflict)
    : Exception($"The stream {conflict.StreamId} changed while it was being decided about; try again.")
{
    /// <summary>The last conflict.</summary>
    public VersionConflict Conflict { get; } = conflict;
}

/// <summary>A document that is about to be created, made by <see cref="DocumentStore.New"/>.</summary>
public sealed class NewDocument
{
    internal NewDocument(StreamEvents stream, SnapshotWrite? snapshot)
    {
        Stream = stream;
        Snapshot = snapshot;
    }

    internal StreamEvents Stream { get; }

    internal SnapshotWrite? Snapshot { get; }
}
