using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using Verbatim.Platform.Modules;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>
/// Keeps the streams of responses that are made in the background: what comes while one transaction is in flight goes with the next (group
/// commit), so that many streams at once cost one transaction after the other and not one an event.
/// </summary>
[Singleton]
internal sealed class OutputLog(Database database, PersonalBytes personal, OutputSignals signals, TimeProvider time)
{
    private const string Table = "gateway.response_output";
    private const int MostInOne = 500;

    // All of a part go in one parameter, of which Postgres takes less than a gigabyte, and which stands in memory several times.
    private const long MostBytesInOne = 16 * 1024 * 1024;
    private const int MostRead = 100;

    /// <summary>How long the database may be away: a stream waits meanwhile, and with it the provider.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How soon it is asked again.</summary>
    public static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentQueue<Pending> _waiting = new();
    private int _isWriting;

    private sealed record Pending(OutputBatch Batch, byte[] Sealed)
    {
        public TaskCompletionSource<bool> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Returns once the events are durable. One batch of a response at a time.</summary>
    /// <returns>False when the response goes on without this one: it has ended, or its instance was taken for dead.</returns>
    /// <exception cref="NpgsqlException">The database did not come back in time.</exception>
    public async Task<bool> AppendAsync(OutputBatch batch, CancellationToken cancellationToken)
    {
        var sealedBytes = await personal.SealAsync(
            PlaceOf(batch.TenantId, batch.InferenceId, batch.First),
            batch.SubjectId,
            batch.Events,
            cancellationToken
        );
        var pending = new Pending(batch, sealedBytes ?? []);
        _waiting.Enqueue(pending);
        if (Interlocked.CompareExchange(ref _isWriting, 1, 0) == 0)
            _ = Task.Run(WriteWaitingAsync, CancellationToken.None);
        return await pending.Done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Events behind a number, as far as they are kept now; a page of them.</summary>
    public async Task<OutputPage> ReadAsync(
        Guid tenantId,
        StoredResponse response,
        int after,
        CancellationToken cancellationToken
    )
    {
        var sealedParts = new List<(int First, int Last, byte[] Events)>();
        var hasEnded = true;
        // In one transaction's view: a stream that has ended has its last event in it.
        await using (
            var command = database.Writes.CreateCommand(
                $"""
                select b.ended_at is not null, o.first_number, o.last_number, o.events
                from gateway.background_responses b
                left join {Table} o
                    on o.tenant_id = b.tenant_id and o.response_id = b.response_id and o.last_number > $3
                where b.tenant_id = $1 and b.response_id = $2
                order by o.first_number limit {MostRead.ToString(CultureInfo.InvariantCulture)}
                """
            )
        )
        {
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = response.Id });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = after });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                hasEnded = reader.GetBoolean(0);
                if (!reader.IsDBNull(1))
                    sealedParts.Add((reader.GetInt32(1), reader.GetInt32(2), reader.GetFieldValue<byte[]>(3)));
            }
        }
        var parts = new List<OutputPart>(sealedParts.Count);
        foreach (var (first, last, events) in sealedParts)
        {
            var opened =
                events.Length == 0
                    ? null
                    : await personal.OpenAsync(
                        PlaceOf(tenantId, response.InferenceId, first),
                        response.Background!.SubjectId,
                        events,
                        cancellationToken
                    );
            if (opened is null)
                return new OutputPage(parts, IsLast: true, HasMore: false);
            parts.Add(new OutputPart(first, last, opened));
        }
        var hasMore = sealedParts.Count == MostRead;
        return new OutputPage(parts, IsLast: hasEnded && !hasMore, hasMore);
    }

    /// <summary>The number of the last event that is kept; -1 without any.</summary>
    public async Task<int> LastNumberAsync(Guid tenantId, string responseId, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            $"select coalesce(max(last_number), -1) from {Table} where tenant_id = $1 and response_id = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = responseId });
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static PersonalPlace PlaceOf(Guid tenantId, Guid inferenceId, int first) =>
        new(tenantId, inferenceId, Table, first.ToString(CultureInfo.InvariantCulture));

    private async Task WriteWaitingAsync()
    {
        while (true)
        {
            var part = new List<Pending>();
            var again = new List<Pending>();
            try
            {
                TakeWaiting(part, again);
                if (part.Count > 0)
                {
                    await WriteAsync(part);
                    continue;
                }
            }
            catch (Exception e)
            {
                // Whatever it is, want of memory too: whoever waits hears of it, and the writing goes on.
                Fail(part, e);
                Fail(again, e);
                continue;
            }
            // A full fence: whoever came between the look above and this counted on us, and is seen by the look below.
            Interlocked.Exchange(ref _isWriting, 0);
            if (_waiting.IsEmpty || Interlocked.CompareExchange(ref _isWriting, 1, 0) != 0)
                return;
        }
    }

    // A response is there once: two who end one that was lost at the same moment would write the same row.
    private void TakeWaiting(List<Pending> part, List<Pending> again)
    {
        var responses = new HashSet<(Guid, string)>();
        var bytes = 0L;
        // Nobody else takes, so what was looked at is what is taken.
        while (
            part.Count < MostInOne
            && _waiting.TryPeek(out var next)
            && (part.Count == 0 || bytes + next.Sealed.Length <= MostBytesInOne)
            && _waiting.TryDequeue(out var pending)
        )
        {
            if (responses.Add((pending.Batch.TenantId, pending.Batch.ResponseId)))
            {
                part.Add(pending);
                bytes += pending.Sealed.Length;
            }
            else
            {
                again.Add(pending);
            }
        }
        foreach (var pending in again)
            _waiting.Enqueue(pending);
        again.Clear();
    }

    private async Task WriteAsync(List<Pending> part)
    {
        var began = time.GetTimestamp();
        if (await TryUntilLateAsync(part, began) is not { } failure)
            return;
        // What the database refuses may be the fault of one of them, which is no reason for the others to fail.
        if (part.Count > 1 && failure is not NpgsqlException { IsTransient: true })
        {
            foreach (var pending in part)
            {
                if (await TryUntilLateAsync([pending], began) is { } own)
                    Fail([pending], own);
            }
            return;
        }
        Fail(part, failure);
    }

    /// <summary>Writes a part; the database is waited for.</summary>
    /// <returns>Why it cannot be written; null when it was.</returns>
    private async Task<Exception?> TryUntilLateAsync(List<Pending> part, long began)
    {
        while (true)
        {
            try
            {
                var written = await TryWriteAsync(part);
                foreach (var pending in part)
                {
                    var isWritten = written.Contains((pending.Batch.TenantId, pending.Batch.ResponseId));
                    if (isWritten)
                        signals.Publish(pending.Batch.ResponseId);
                    pending.Done.TrySetResult(isWritten);
                }
                return null;
            }
            catch (NpgsqlException e) when (e.IsTransient && time.GetElapsedTime(began) < Patience)
            {
                await Task.Delay(RetryDelay, time);
            }
            catch (Exception e)
            {
                return e;
            }
        }
    }

    private static void Fail(List<Pending> part, Exception failure)
    {
        foreach (var pending in part)
            pending.Done.TrySetException(failure);
    }

    private async Task<HashSet<(Guid, string)>> TryWriteAsync(List<Pending> part)
    {
        await using var connection = await database.Writes.OpenConnectionAsync(CancellationToken.None);
        await using var batch = new NpgsqlBatch(connection);
        var insert = new NpgsqlBatchCommand(
            $"""
            with new as (
                select * from unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::bool[], $6::bytea[])
                    as n(tenant_id, response_id, first_number, last_number, is_last, events)),
            open as (
                select b.tenant_id, b.response_id, n.first_number, n.last_number, n.is_last, n.events
                from gateway.background_responses b join new n using (tenant_id, response_id)
                where b.ended_at is null and (b.lost_at is null or n.is_last)
                order by b.tenant_id, b.response_id for no key update of b),
            ended as (
                update gateway.background_responses b set ended_at = now() from open o
                where o.is_last and b.tenant_id = o.tenant_id and b.response_id = o.response_id),
            written as (
                -- What a commit wrote whose answer was lost is there already.
                insert into {Table} (tenant_id, response_id, first_number, last_number, events)
                select tenant_id, response_id, first_number, last_number, events from open
                on conflict (tenant_id, response_id, first_number) do update set last_number = excluded.last_number, events = excluded.events)
            select tenant_id, response_id from open
            """
        );
        insert.Parameters.Add(Array(NpgsqlDbType.Uuid, part, static p => p.Batch.TenantId));
        insert.Parameters.Add(Array(NpgsqlDbType.Text, part, static p => p.Batch.ResponseId));
        insert.Parameters.Add(Array(NpgsqlDbType.Integer, part, static p => p.Batch.First));
        insert.Parameters.Add(Array(NpgsqlDbType.Integer, part, static p => p.Batch.Last));
        insert.Parameters.Add(Array(NpgsqlDbType.Boolean, part, static p => p.Batch.IsLast));
        insert.Parameters.Add(Array(NpgsqlDbType.Bytea, part, static p => p.Sealed));
        batch.BatchCommands.Add(insert);
        var notify = new NpgsqlBatchCommand(
            $"select pg_notify('{OutputSignals.Channel}', id) from unnest($1::text[]) as t(id)"
        );
        notify.Parameters.Add(Array(NpgsqlDbType.Text, part, static p => p.Batch.ResponseId));
        batch.BatchCommands.Add(notify);
        var written = new HashSet<(Guid, string)>();
        await using var reader = await batch.ExecuteReaderAsync(CancellationToken.None);
        while (await reader.ReadAsync(CancellationToken.None))
            written.Add((reader.GetGuid(0), reader.GetString(1)));
        // The commit comes behind the last command.
        while (await reader.NextResultAsync(CancellationToken.None)) { }
        return written;
    }

    private static NpgsqlParameter Array<T>(NpgsqlDbType type, List<Pending> part, Func<Pending, T> of) =>
        new() { NpgsqlDbType = NpgsqlDbType.Array | type, Value = part.ConvertAll(p => of(p)).ToArray() };
}

/// <summary>Events of a response, in a row.</summary>
/// <param name="TenantId">The organization.</param>
/// <param name="ResponseId">The response.</param>
/// <param name="InferenceId">Its call.</param>
/// <param name="SubjectId">Whose key seals them.</param>
/// <param name="First">The number of the first.</param>
/// <param name="Last">The number of the last.</param>
/// <param name="Events">Their bytes, as server-sent events.</param>
/// <param name="IsLast">Nothing follows.</param>
internal sealed record OutputBatch(
    Guid TenantId,
    string ResponseId,
    Guid InferenceId,
    Guid SubjectId,
    int First,
    int Last,
    ReadOnlyMemory<byte> Events,
    bool IsLast
);

/// <summary>What is kept of a response's stream.</summary>
/// <param name="Parts">Events in a row.</param>
/// <param name="IsLast">Nothing follows.</param>
/// <param name="HasMore">More is kept already.</param>
internal sealed record OutputPage(IReadOnlyList<OutputPart> Parts, bool IsLast, bool HasMore);

/// <summary>Events in a row.</summary>
/// <param name="First">The number of the first.</param>
/// <param name="Last">The number of the last.</param>
/// <param name="Events">Their bytes, as server-sent events.</param>
internal sealed record OutputPart(int First, int Last, ReadOnlyMemory<byte> Events);
