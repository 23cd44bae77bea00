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

    private static readonly Refusal Stale = new(
        RefusalKind.Stale,
        "version-mismatch",
        "It was changed since the version that If-Match names; read it again, and repeat the request with its new ETag."
    );

    private readonly Database _database;
    private readonly EventStore _events;
    private readonly DocumentCatalog _documents;
    private readonly EventReader _reader;

    internal DocumentStore(Database database, EventStore events, DocumentCatalog documents)
    {
        _database = database;
        _events = events;
        _documents = documents;
        _reader = new EventReader(events.Catalog, events.Keys);
    }

    /// <summary>A document as it is now, or null when there is none of this id within reach.</summary>
    public async Task<Versioned<T>?> LoadAsync<T>(Access access, Guid id, CancellationToken cancellationToken)
        where T : class, IDocument<T>
    {
        var shape = _documents.Of<T>();
        return shape.Snapshot == SnapshotKind.Inline
            ? (await LoadSnapshotAsync(shape, access, id, cancellationToken)).Document
            : await FoldAsync<T>(access, id, long.MaxValue, DateTimeOffset.MaxValue, cancellationToken);
    }

    /// <summary>The documents of one type within reach, newest id first. Not for documents whose snapshot is folded.</summary>
    public Task<IReadOnlyList<Identified<T>>> ListAsync<T>(
        Access access,
        Guid? before,
        int limit,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T> => ListAsync<T>(access, before, limit, filter: null, cancellationToken);

    /// <summary>The documents of one type within reach, newest id first. Not for documents whose snapshot is folded.</summary>
    /// <param name="access">Whose.</param>
    /// <param name="before">Only those with a smaller id, or null for the newest.</param>
    /// <param name="limit">The most rows to read.</param>
    /// <param name="filter">Which of them; null for all.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public Task<IReadOnlyList<Identified<T>>> ListAsync<T>(
        Access access,
        Guid? before,
        int limit,
        DocumentFilter? filter,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T> =>
        ReadPageAsync<T>("<", "desc", access, before ?? Guid.AllBitsSet, limit, filter, cancellationToken);

    /// <summary>The same, oldest id first.</summary>
    /// <param name="access">Whose.</param>
    /// <param name="after">Only those with a greater id, or null for the oldest.</param>
    /// <param name="limit">The most rows to read.</param>
    /// <param name="filter">Which of them; null for all.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public Task<IReadOnlyList<Identified<T>>> ListOldestAsync<T>(
        Access access,
        Guid? after,
        int limit,
        DocumentFilter? filter,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T> =>
        ReadPageAsync<T>(">", "asc", access, after ?? Guid.Empty, limit, filter, cancellationToken);

    private async Task<IReadOnlyList<Identified<T>>> ReadPageAsync<T>(
        string compare,
        string order,
        Access access,
        Guid from,
        int limit,
        DocumentFilter? filter,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T>
    {
        var shape = _documents.Of<T>();
        await using var command = _database.Writes.CreateCommand("");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = access.TenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = from });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        if (access.OwnerId is { } owner)
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = owner });
        command.CommandText = $"""
            select id, version, data::text from {shape.Table}
            where tenant_id = $1 and id {compare} $2 and {shape.Ownership.Condition(access, 4)}{filter?.Write(
                command.Parameters
            )}
            order by id {order} limit $3
            """;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var documents = new List<Identified<T>>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = reader.GetGuid(0);
            var value = await shape.ReadRowAsync(
                reader.GetFieldValue<byte[]>(2),
                access.TenantId,
                id,
                _events.Keys,
                cancellationToken
            );
            documents.Add(new Identified<T>(id, value, reader.GetInt64(1)));
        }
        return documents;
    }

    /// <summary>
    /// The documents of one type of all organizations, in no order: for what an instance keeps in memory. An endpoint answers nothing from it that
    /// its caller does not reach. Not for documents whose snapshot is folded.
    /// </summary>
    public async Task<IReadOnlyList<TenantDocument<T>>> ListEverywhereAsync<T>(
        DocumentFilter? filter,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T>
    {
        var shape = _documents.Of<T>();
        await using var command = _database.Writes.CreateCommand("");
        command.CommandText =
            $"select tenant_id, id, version, data::text from {shape.Table} where true{filter?.Write(command.Parameters)}";
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var documents = new List<TenantDocument<T>>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var (tenantId, id) = (reader.GetGuid(0), reader.GetGuid(1));
            var value = await shape.ReadRowAsync(
                reader.GetFieldValue<byte[]>(3),
                tenantId,
                id,
                _events.Keys,
                cancellationToken
            );
            documents.Add(new TenantDocument<T>(tenantId, id, value, reader.GetInt64(2)));
        }
        return documents;
    }

    /// <summary>A document as it was after a version of its stream, or null when there was none then.</summary>
    public Task<Versioned<T>?> LoadAtVersionAsync<T>(
        Access access,
        Guid id,
        long version,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T> => FoldAsync<T>(access, id, version, DateTimeOffset.MaxValue, cancellationToken);

    /// <summary>A document as it was at an instant, or null when there was none then.</summary>
    public Task<Versioned<T>?> LoadAtAsync<T>(
        Access access,
        Guid id,
        DateTimeOffset at,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T> => FoldAsync<T>(access, id, long.MaxValue, at, cancellationToken);

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
        for (var attempt = 1; ; )
        {
            long? generation = null;
            Versioned<T>? current;
            if (shape.Snapshot == SnapshotKind.Inline)
                (current, generation) = await LoadSnapshotAsync(shape, context.Access, id, cancellationToken);
            else
                current = await LoadAsync<T>(context.Access, id, cancellationToken);

            var decision = decide(current?.Value);
            if (decision is Decision.Refusing { Refusal: var refusal })
                return new Outcome<T>(refusal);

            if (context.IfMatch?.Allows(current?.Version ?? 0) is false)
                return new Outcome<T>(Stale);

            var appending = (Decision.Appending)decision;
            if (appending.Events.Count == 0)
                return current is not null
                    ? new Outcome<T>(current)
                    : throw new InvalidOperationException(
                        $"Deciding nothing about a {shape.StreamType} that does not exist."
                    );

            var expected = current?.Version ?? 0;
            var stream = new StreamEvents(shape.StreamType, id, expected, appending.Events);
            var (append, after) = await EncodeAsync(
                context,
                shape,
                stream,
                current?.Value,
                generation,
                cancellationToken
            );
            var result = await _events.AppendAsync([append], appending.Writes, cancellationToken);
            if (result.Conflict is not { } conflict)
                return new Outcome<T>(new Versioned<T>(after, append.NewVersion));
            // A repair of documents is nobody's competition.
            if (!conflict.IsRepair && attempt++ == MaxAttempts)
                throw new ConcurrencyException(conflict);
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
        var stream = new StreamEvents(shape.StreamType, id, 0, events);
        return new NewDocument(
            async (context, cancellationToken) =>
                (await EncodeAsync<T>(context, shape, stream, state: null, generation: null, cancellationToken)).Append
        );
    }

    /// <summary>Creates several documents and carries out statements, all in one transaction or not at all.</summary>
    /// <exception cref="LogUnavailableException">Postgres did not come back in time.</exception>
    /// <exception cref="PostgresException">A statement failed; nothing was stored.</exception>
    public async Task<AppendResult> CreateAsync(
        AppendContext context,
        IReadOnlyList<NewDocument> documents,
        IReadOnlyList<SqlWrite> writes,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(documents);
        var appends = new List<StreamAppend>(documents.Count);
        foreach (var document in documents)
            appends.Add(await document.EncodeAsync(context, cancellationToken));
        return await _events.AppendAsync(appends, writes, cancellationToken);
    }

    // The state is folded from the events as they will be read: what JSON does not carry must not get into the snapshot either.
    private async ValueTask<(StreamAppend Append, T After)> EncodeAsync<T>(
        AppendContext context,
        DocumentShape<T> shape,
        StreamEvents stream,
        T? state,
        long? generation,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T>
    {
        var encoded = await _events.EncodeAsync(context, stream, cancellationToken);
        foreach (var @event in encoded)
        {
            var read = await _reader.ReadAsync(
                context.TenantId,
                stream.StreamId,
                @event.Type,
                @event.TypeVersion,
                @event.Data,
                position: 0,
                cancellationToken
            );
            state = T.Evolve(state, read);
        }
        if (state is null)
            throw new ArgumentException("There is no event to append.", nameof(stream));
        SnapshotWrite? snapshot = null;
        if (shape.Snapshot == SnapshotKind.Inline)
        {
            var row = await shape.WriteRowAsync(
                state,
                context.TenantId,
                stream.StreamId,
                _events.Keys,
                cancellationToken
            );
            snapshot = new SnapshotWrite(shape, row, generation);
        }
        return (EventStore.Encode(context, stream, encoded, snapshot), state);
    }

    private async Task<(Versioned<T>? Document, long Generation)> LoadSnapshotAsync<T>(
        DocumentShape<T> shape,
        Access access,
        Guid id,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T>
    {
        await using var command = _database.Writes.CreateCommand(
            $"""
            select s.documents_generation, d.version, d.data::text from platform.sequencer s
            left join {shape.Table} d on d.tenant_id = $1 and d.id = $2
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = access.TenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var generation = reader.GetInt64(0);
        if (await reader.IsDBNullAsync(1, cancellationToken))
            return (null, generation);
        var value = await shape.ReadRowAsync(
            reader.GetFieldValue<byte[]>(2),
            access.TenantId,
            id,
            _events.Keys,
            cancellationToken
        );
        return shape.Ownership.Reaches(access, id, value)
            ? (new Versioned<T>(value, reader.GetInt64(1)), generation)
            : (null, generation);
    }

    private async Task<Versioned<T>?> FoldAsync<T>(
        Access access,
        Guid id,
        long toVersion,
        DateTimeOffset until,
        CancellationToken cancellationToken
    )
        where T : class, IDocument<T>
    {
        var shape = _documents.Of<T>();
        T? state = null;
        long version = 0;
        await foreach (var recorded in _events.ReadStreamAsync(access.TenantId, id, 1, toVersion, cancellationToken))
        {
            if (recorded.StreamType != shape.StreamType)
                return null;
            if (recorded.Time > until)
                break;
            state = T.Evolve(state, await _reader.ReadAsync(recorded, cancellationToken));
            version = recorded.Version;
        }
        return state is not null && shape.Ownership.Reaches(access, id, state)
            ? new Versioned<T>(state, version)
            : null;
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
    private readonly Func<AppendContext, CancellationToken, Task<StreamAppend>> _encode;

    internal NewDocument(Func<AppendContext, CancellationToken, Task<StreamAppend>> encode) => _encode = encode;

    internal Task<StreamAppend> EncodeAsync(AppendContext context, CancellationToken cancellationToken) =>
        _encode(context, cancellationToken);
}
