using System.Data;
using System.Runtime.InteropServices;
using Npgsql;
using Verbatim.Evidence;

namespace Verbatim.Platform.Events;

/// <summary>The writer's connection and its statements. Used by one thread.</summary>
internal sealed class LogConnection : IDisposable
{
    // Up to here one statement with arrays beats the round trips of COPY (benchmark "appends").
    private const int CopyFrom = 128;

    private const string LockSql = "select from platform.sequencer for update";

    private const string EventColumns =
        "tenant_id, stream_id, version, position, time, type_version, stream_type, type, actor, correlation, data, leaf_hash";

    private const string HeadSql = """
        select s.documents_generation, e.position, e.time
        from platform.sequencer s
        left join lateral (select position, time from platform.events order by position desc limit 1) e on true
        """;

    private readonly NpgsqlConnection _connection;
    private readonly Dictionary<NpgsqlBatchCommand, PendingAppend> _writers = [];

    public LogConnection(NpgsqlDataSource source)
    {
        _connection = source.OpenConnection();
        try
        {
            Configure();
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    /// <summary>True between <see cref="LockHead"/> and the end of its transaction.</summary>
    public bool IsLocked { get; private set; }

    public bool IsOpen => _connection.State == ConnectionState.Open;

    public void Dispose() => _connection.Dispose();

    public LogHead ReadHead()
    {
        using var command = new NpgsqlCommand(HeadSql, _connection);
        using var reader = command.ExecuteReader();
        return ReadHead(reader);
    }

    /// <summary>Begins a transaction that nobody else can append in until it ends.</summary>
    public LogHead LockHead()
    {
        using var batch = new NpgsqlBatch(_connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("begin"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(LockSql));
        // A statement of its own: it must see what was committed while the one before it waited.
        batch.BatchCommands.Add(new NpgsqlBatchCommand(HeadSql));
        IsLocked = true;
        using var reader = batch.ExecuteReader();
        reader.NextResult();
        return ReadHead(reader);
    }

    public void Rollback()
    {
        if (!IsLocked)
            return;
        IsLocked = false;
        try
        {
            Execute("rollback");
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            // The connection is gone, and the transaction with it; the next statement meets the same and is retried.
        }
    }

    public List<(StreamKey Stream, long Version)> ReadVersions(IReadOnlyCollection<StreamKey> streams)
    {
        using var command = new NpgsqlCommand(
            """
            select s.tenant_id, s.stream_id,
                (select e.version from platform.events e
                    where e.tenant_id = s.tenant_id and e.stream_id = s.stream_id
                    order by e.version desc limit 1)
            from unnest($1::uuid[], $2::uuid[]) s(tenant_id, stream_id)
            """,
            _connection
        );
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. streams.Select(s => s.TenantId)] });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. streams.Select(s => s.StreamId)] });
        return ReadVersions(command);
    }

    public List<(StreamKey Stream, long Version)> ReadVersionsBehind(long after, long upTo)
    {
        using var command = new NpgsqlCommand(
            """
            select tenant_id, stream_id, version from platform.events
            where position > $1 and position <= $2 order by position
            """,
            _connection
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        return ReadVersions(command);
    }

    public bool HasLeaf(long position, ReadOnlySpan<byte> hash)
    {
        using var command = new NpgsqlCommand("select leaf_hash from platform.events where position = $1", _connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = position });
        return command.ExecuteScalar() is byte[] stored && hash.SequenceEqual(stored);
    }

    /// <summary>
    /// Whether the plan can be sent at once, the lock included: the position's unique index then tells when the head was not the plan's.
    /// That is too late for much data, and for states that must not have been repaired since they were loaded.
    /// </summary>
    public static bool IsOneRoundTrip(AppendPlan plan) => plan.Rows.Count < CopyFrom && !plan.DependsOnGeneration;

    /// <summary>Writes the plan and commits it, in the transaction of <see cref="LockHead"/> if there is one.</summary>
    /// <param name="plan">What to write; at least one append.</param>
    /// <param name="isOutcomeUnknown">Set once the commit may be on its way.</param>
    public void Commit(AppendPlan plan, ref bool isOutcomeUnknown)
    {
        _writers.Clear();
        using var batch = new NpgsqlBatch(_connection);
        // Without begin and commit the batch is a transaction by itself: all of it is sent before one Sync (PostgreSQL
        // documentation, "Pipelining").
        if (!IsLocked)
            batch.BatchCommands.Add(new NpgsqlBatchCommand(LockSql));
        if (plan.Rows.Count < CopyFrom)
            batch.BatchCommands.Add(InsertEvents(plan));
        else
            Copy(plan);
        AddSnapshots(batch, plan);
        AddWrites(batch, plan);
        if (IsLocked)
            batch.BatchCommands.Add(new NpgsqlBatchCommand("commit"));

        isOutcomeUnknown = true;
        batch.ExecuteNonQuery();
        IsLocked = false;
    }

    /// <summary>The append whose statement failed, when it was one that belongs to a single append.</summary>
    public PendingAppend? CulpritOf(PostgresException e) =>
        e.BatchCommand is not null && _writers.TryGetValue(e.BatchCommand, out var culprit) ? culprit : null;

    private void Configure() =>
        // A server or role default that is weaker would break the promise "durable before answered" without a word; and each
        // statement of a transaction must see what was committed before it began. A writer that hangs with the lock in its hands
        // is thrown out by the server, and one that waits for a lock gives up in time to say so. No timeout ends a COPY whose client has
        // vanished from the network, so there the server asks the network.
        Execute(
            """
            select set_config('synchronous_commit', 'on', false)
                where current_setting('synchronous_commit') not in ('on', 'remote_apply');
            set default_transaction_isolation = 'read committed';
            set idle_in_transaction_session_timeout = '10s';
            set lock_timeout = '2s';
            set tcp_keepalives_idle = 5;
            set tcp_keepalives_interval = 2;
            set tcp_keepalives_count = 3
            """
        );

    // To unfold arrays costs Postgres more than to insert a row does: where there is but one, which is when somebody is alone, it waits less.
    private static NpgsqlBatchCommand InsertEvent(AppendPlan plan)
    {
        var (stream, @event, version, position) = plan.Rows[0];
        var command = new NpgsqlBatchCommand(
            $"""
            insert into platform.events ({EventColumns})
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            """
        );
        var parameters = command.Parameters;
        parameters.Add(new NpgsqlParameter<Guid> { TypedValue = stream.Context.TenantId });
        parameters.Add(new NpgsqlParameter<Guid> { TypedValue = stream.StreamId });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = version });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = position });
        parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = LeafEncoding.TimeOf(plan.Time).UtcDateTime });
        parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)@event.TypeVersion });
        parameters.Add(new NpgsqlParameter<string> { TypedValue = stream.StreamType });
        parameters.Add(new NpgsqlParameter<string> { TypedValue = @event.Type });
        parameters.Add(new NpgsqlParameter<string> { TypedValue = stream.Context.Actor });
        parameters.Add(new NpgsqlParameter<string> { TypedValue = stream.Context.Correlation });
        parameters.Add(new NpgsqlParameter<ReadOnlyMemory<byte>> { TypedValue = @event.Data });
        parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = plan.HashOf(0).ToArray() });
        return command;
    }

    private static NpgsqlBatchCommand InsertEvents(AppendPlan plan)
    {
        if (plan.Rows.Count == 1)
            return InsertEvent(plan);
        var rows = CollectionsMarshal.AsSpan(plan.Rows);
        var tenants = new Guid[rows.Length];
        var streams = new Guid[rows.Length];
        var versions = new long[rows.Length];
        var positions = new long[rows.Length];
        var typeVersions = new short[rows.Length];
        var streamTypes = new string[rows.Length];
        var types = new string[rows.Length];
        var actors = new string[rows.Length];
        var correlations = new string[rows.Length];
        var data = new ReadOnlyMemory<byte>[rows.Length];
        var hashes = new byte[rows.Length][];
        for (var i = 0; i < rows.Length; i++)
        {
            ref readonly var row = ref rows[i];
            tenants[i] = row.Stream.Context.TenantId;
            streams[i] = row.Stream.StreamId;
            versions[i] = row.Version;
            positions[i] = row.Position;
            typeVersions[i] = (short)row.Event.TypeVersion;
            streamTypes[i] = row.Stream.StreamType;
            types[i] = row.Event.Type;
            actors[i] = row.Stream.Context.Actor;
            correlations[i] = row.Stream.Context.Correlation;
            data[i] = row.Event.Data;
            hashes[i] = plan.HashOf(i).ToArray();
        }

        var command = new NpgsqlBatchCommand(
            $"""
            insert into platform.events ({EventColumns})
            select t, s, v, p, $5, tv, st, ty, a, c, d, h
            from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $6::smallint[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::bytea[], $12::bytea[]) as e(t, s, v, p, tv, st, ty, a, c, d, h)
            """
        );
        var parameters = command.Parameters;
        parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = tenants });
        parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = streams });
        parameters.Add(new NpgsqlParameter<long[]> { TypedValue = versions });
        parameters.Add(new NpgsqlParameter<long[]> { TypedValue = positions });
        parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = LeafEncoding.TimeOf(plan.Time).UtcDateTime });
        parameters.Add(new NpgsqlParameter<short[]> { TypedValue = typeVersions });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = streamTypes });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = types });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = actors });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = correlations });
        parameters.Add(new NpgsqlParameter<ReadOnlyMemory<byte>[]> { TypedValue = data });
        parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = hashes });
        return command;
    }

    private void Copy(AppendPlan plan)
    {
        using var stream = _connection.BeginRawBinaryCopy(
            $"copy platform.events ({EventColumns}) from stdin (format binary)"
        );
        plan.EncodeCopy().WriteTo(stream);
    }

    private void AddSnapshots(NpgsqlBatch batch, AppendPlan plan)
    {
        Dictionary<DocumentShape, DocumentRows>? tables = null;
        var position = plan.Base.Position;
        foreach (var append in plan.Accepted)
        {
            for (var i = 0; i < append.Streams.Count; i++)
            {
                var stream = append.Streams[i];
                position += stream.Events.Length;
                if (stream.Snapshot is not { } snapshot)
                    continue;
                tables ??= [];
                if (!tables.TryGetValue(snapshot.Document, out var rows))
                    tables.Add(snapshot.Document, rows = new DocumentRows());
                rows.Set(stream.Key, stream.NewVersion, position, snapshot.Json, append);
            }
        }
        if (tables is null)
            return;
        foreach (var (document, rows) in tables)
        {
            var command = rows.Upsert(document);
            batch.BatchCommands.Add(command);
            if (rows.OnlyAppend is { } culprit)
                _writers.Add(command, culprit);
        }
    }

    private void AddWrites(NpgsqlBatch batch, AppendPlan plan)
    {
        foreach (var append in plan.Accepted)
        {
            for (var i = 0; i < append.Writes.Count; i++)
            {
                var write = append.Writes[i];
                var command = new NpgsqlBatchCommand(write.Text);
                foreach (var value in write.Parameters)
                    command.Parameters.Add(new NpgsqlParameter { Value = value });
                batch.BatchCommands.Add(command);
                _writers.Add(command, append);
            }
        }
    }

    private static LogHead ReadHead(NpgsqlDataReader reader)
    {
        if (!reader.Read())
            throw new InvalidOperationException("platform.sequencer is empty: its one row was deleted.");
        if (reader.IsDBNull(1))
            return new LogHead(0, 0, reader.GetInt64(0));
        var time = LeafEncoding.Microseconds(new DateTimeOffset(reader.GetDateTime(2), TimeSpan.Zero));
        return new LogHead(reader.GetInt64(1), time, reader.GetInt64(0));
    }

    private static List<(StreamKey, long)> ReadVersions(NpgsqlCommand command)
    {
        using var reader = command.ExecuteReader();
        var versions = new List<(StreamKey, long)>();
        while (reader.Read())
        {
            if (!reader.IsDBNull(2))
                versions.Add((new StreamKey(reader.GetGuid(0), reader.GetGuid(1)), reader.GetInt64(2)));
        }
        return versions;
    }

    private void Execute(string sql)
    {
        using var command = new NpgsqlCommand(sql, _connection);
        command.ExecuteNonQuery();
    }
}
