using Npgsql;
using NpgsqlTypes;

namespace Verbatim.Platform.Events;

/// <summary>The sequencer's row as it was read: the last position, its time, and where the row lies.</summary>
/// <param name="Position">0 for an empty log.</param>
/// <param name="Time">Microseconds since 1970.</param>
/// <param name="RowAddress">
/// The row's ctid. While another session holds a transaction open the dead versions of this row cannot be removed; finding the live one
/// by its address stays one page read however many there are.
/// </param>
internal sealed record LogHead(long Position, long Time, NpgsqlTid RowAddress);

/// <summary>The writer's connection and its statements. Used by one thread.</summary>
internal sealed class LogConnection : IDisposable
{
    /// <summary>The SQLSTATE of <c>platform.advance_log</c> when the head is not where it was expected.</summary>
    public const string HeadMoved = "VB001";

    // Up to here one round trip with arrays beats the three of COPY (benchmark "appends").
    private const int CopyFrom = 24;

    private const string EventColumns =
        "tenant_id, stream_id, version, position, time, type_version, stream_type, type, actor, correlation, data, leaf_hash";

    private readonly NpgsqlConnection _connection;
    private readonly Dictionary<
        DocumentShape,
        Dictionary<(Guid Tenant, Guid Id), (SnapshotWrite Write, long Version, long Position)>
    > _snapshots = [];
    private bool _inTransaction;

    public LogConnection(NpgsqlDataSource source)
    {
        _connection = source.OpenConnection();
        using var command = _connection.CreateCommand();
        // A server or role default of off would break the promise "durable before answered" without a word.
        command.CommandText = "set synchronous_commit = on; set lock_timeout = '10s'";
        command.ExecuteNonQuery();
    }

    public void Dispose() => _connection.Dispose();

    public LogHead ReadHead() => ReadHead("select position, time, ctid from platform.log_head");

    /// <summary>Begins a transaction that nobody else can append in until it ends.</summary>
    public LogHead LockHead()
    {
        Execute("begin");
        _inTransaction = true;
        return ReadHead("select position, time, ctid from platform.log_head for update");
    }

    public void Rollback()
    {
        if (!_inTransaction)
            return;
        _inTransaction = false;
        try
        {
            Execute("rollback");
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            // The connection is gone, and the transaction with it; the next statement meets the same and is retried.
        }
    }

    public List<(Guid Tenant, Guid Stream, long Version)> ReadVersions(
        IReadOnlyCollection<(Guid Tenant, Guid Stream)> streams
    )
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
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. streams.Select(s => s.Tenant)] });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. streams.Select(s => s.Stream)] });
        return ReadVersions(command);
    }

    public List<(Guid Tenant, Guid Stream, long Version)> ReadVersionsBehind(long after, long upTo)
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

    /// <summary>Writes the plan and commits it. Uses the transaction of <see cref="LockHead"/> if there is one.</summary>
    /// <param name="head">The head that the plan was made for.</param>
    /// <param name="plan">What to write; at least one append.</param>
    /// <param name="buffer">Scratch space, grown at need.</param>
    /// <param name="isOutcomeUnknown">Set once the commit may be on its way.</param>
    /// <exception cref="PostgresException"><see cref="HeadMoved"/> when the head is elsewhere.</exception>
    public LogHead Commit(LogHead head, AppendPlan plan, ref byte[] buffer, ref bool isOutcomeUnknown)
    {
        using var batch = new NpgsqlBatch(_connection);
        if (plan.Rows.Count < CopyFrom)
        {
            AddAdvance(batch, head, plan);
            AddEvents(batch, plan);
        }
        else if (_inTransaction)
        {
            Copy(plan, ref buffer);
            AddAdvance(batch, head, plan);
        }
        else
        {
            // The head is taken first: writers queue up at its lock, before they send their data, not behind it.
            using (var first = new NpgsqlBatch(_connection))
            {
                first.BatchCommands.Add(new NpgsqlBatchCommand("begin"));
                AddAdvance(first, head, plan);
                _inTransaction = true;
                head = new LogHead(plan.LastPosition, plan.Time, ReadMovedHead(first));
            }
            Copy(plan, ref buffer);
        }
        AddSnapshots(batch, plan);
        AddWrites(batch, plan);
        if (_inTransaction)
            batch.BatchCommands.Add(new NpgsqlBatchCommand("commit"));

        isOutcomeUnknown = true;
        if (head.Position == plan.LastPosition)
            batch.ExecuteNonQuery();
        else
            head = new LogHead(plan.LastPosition, plan.Time, ReadMovedHead(batch));
        _inTransaction = false;
        return head;
    }

    // The first statement that returns rows is advance_log's; the rest of the batch still has to be read, for its errors.
    private static NpgsqlTid ReadMovedHead(NpgsqlBatch batch)
    {
        using var reader = batch.ExecuteReader();
        if (!reader.Read())
            throw new InvalidOperationException("advance_log returned no row.");
        var address = reader.GetFieldValue<NpgsqlTid>(0);
        while (reader.NextResult())
        {
            // Nothing in it is wanted.
        }
        return address;
    }

    private static void AddAdvance(NpgsqlBatch batch, LogHead head, AppendPlan plan)
    {
        var command = new NpgsqlBatchCommand("select platform.advance_log($1, $2, $3, $4)");
        command.Parameters.Add(
            new NpgsqlParameter<NpgsqlTid> { TypedValue = head.RowAddress, NpgsqlDbType = NpgsqlDbType.Tid }
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = head.Position });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = plan.LastPosition });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = ToUtc(plan.Time) });
        batch.BatchCommands.Add(command);
    }

    private static void AddEvents(NpgsqlBatch batch, AppendPlan plan)
    {
        var rows = plan.Rows;
        var command = new NpgsqlBatchCommand(
            $"""
            insert into platform.events ({EventColumns})
            select t, s, v, p, $5, tv, st, ty, a, c, d, h
            from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $6::smallint[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::bytea[], $12::bytea[]) as e(t, s, v, p, tv, st, ty, a, c, d, h)
            """
        );
        command.Parameters.Add(Column(rows, r => r.Stream.Context.TenantId));
        command.Parameters.Add(Column(rows, r => r.Stream.StreamId));
        command.Parameters.Add(Column(rows, r => r.Version));
        command.Parameters.Add(Column(rows, r => r.Position));
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = ToUtc(plan.Time) });
        command.Parameters.Add(Column(rows, r => (short)r.Event.TypeVersion));
        command.Parameters.Add(Column(rows, r => r.Stream.StreamType));
        command.Parameters.Add(Column(rows, r => r.Event.Type));
        command.Parameters.Add(Column(rows, r => r.Stream.Context.Actor));
        command.Parameters.Add(Column(rows, r => r.Stream.Context.Correlation));
        command.Parameters.Add(Column(rows, r => r.Event.Data));
        var hashes = new byte[rows.Count][];
        for (var i = 0; i < hashes.Length; i++)
            hashes[i] = plan.HashOf(i).ToArray();
        command.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = hashes });
        batch.BatchCommands.Add(command);
    }

    private void Copy(AppendPlan plan, ref byte[] buffer)
    {
        var length = plan.EncodeCopy(ref buffer);
        using var stream = _connection.BeginRawBinaryCopy(
            $"copy platform.events ({EventColumns}) from stdin (format binary)"
        );
        stream.Write(buffer, 0, length);
    }

    private void AddSnapshots(NpgsqlBatch batch, AppendPlan plan)
    {
        var position = plan.FirstPosition - 1;
        foreach (var append in plan.Accepted)
        {
            foreach (var stream in append.Streams)
            {
                position += stream.Events.Length;
                if (stream.Snapshot is not { } snapshot)
                    continue;
                if (!_snapshots.TryGetValue(snapshot.Document, out var rows))
                    _snapshots.Add(snapshot.Document, rows = []);
                // The last state of a document in this batch is the one that stays.
                rows[(stream.Context.TenantId, stream.StreamId)] = (
                    snapshot,
                    stream.ExpectedVersion + stream.Events.Length,
                    position
                );
            }
        }

        foreach (var (document, rows) in _snapshots)
        {
            if (rows.Count == 0)
                continue;
            var command = new NpgsqlBatchCommand(DocumentTables.UpsertSql(document));
            command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. rows.Keys.Select(k => k.Tenant)] });
            command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. rows.Keys.Select(k => k.Id)] });
            command.Parameters.Add(
                new NpgsqlParameter<long[]> { TypedValue = [.. rows.Values.Select(r => r.Version)] }
            );
            command.Parameters.Add(
                new NpgsqlParameter<long[]> { TypedValue = [.. rows.Values.Select(r => r.Position)] }
            );
            command.Parameters.Add(
                new NpgsqlParameter<byte[][]> { TypedValue = [.. rows.Values.Select(r => r.Write.Json)] }
            );
            batch.BatchCommands.Add(command);
            rows.Clear();
        }
    }

    private static void AddWrites(NpgsqlBatch batch, AppendPlan plan)
    {
        foreach (var append in plan.Accepted)
        {
            foreach (var write in append.Writes)
            {
                var command = new NpgsqlBatchCommand(write.Text);
                foreach (var value in write.Parameters)
                    command.Parameters.Add(new NpgsqlParameter { Value = value });
                batch.BatchCommands.Add(command);
            }
        }
    }

    private static NpgsqlParameter<T[]> Column<T>(IReadOnlyList<AppendPlan.Row> rows, Func<AppendPlan.Row, T> value)
    {
        var column = new T[rows.Count];
        for (var i = 0; i < column.Length; i++)
            column[i] = value(rows[i]);
        return new NpgsqlParameter<T[]> { TypedValue = column };
    }

    private LogHead ReadHead(string sql)
    {
        using var command = new NpgsqlCommand(sql, _connection);
        using var reader = command.ExecuteReader();
        if (!reader.Read())
            throw new InvalidOperationException("platform.log_head is empty: its one row was deleted.");
        var time = reader.GetFieldValue<DateTime>(1);
        var microseconds =
            time == DateTime.MinValue ? 0 : LeafEncoding.Microseconds(new DateTimeOffset(time, TimeSpan.Zero));
        return new LogHead(reader.GetInt64(0), microseconds, reader.GetFieldValue<NpgsqlTid>(2));
    }

    private static List<(Guid, Guid, long)> ReadVersions(NpgsqlCommand command)
    {
        using var reader = command.ExecuteReader();
        var versions = new List<(Guid, Guid, long)>();
        while (reader.Read())
        {
            if (!reader.IsDBNull(2))
                versions.Add((reader.GetGuid(0), reader.GetGuid(1), reader.GetInt64(2)));
        }
        return versions;
    }

    private void Execute(string sql)
    {
        using var command = new NpgsqlCommand(sql, _connection);
        command.ExecuteNonQuery();
    }

    private static DateTime ToUtc(long microseconds) =>
        DateTime.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
