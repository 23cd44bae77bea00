using System.Runtime.InteropServices;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging.Jobs;

/// <summary>A job that this instance has taken.</summary>
internal sealed record TakenJob(
    Guid TenantId,
    Guid Id,
    long Epoch,
    string Type,
    string Payload,
    int Attempt,
    string Correlation
)
{
    public JobKey Key => new(TenantId, Id, Epoch);
}

/// <summary>A job, at the time that it was taken.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct JobKey(Guid TenantId, Guid Id, long Epoch);

/// <summary>The statements about who runs which job. Times are the database's.</summary>
internal static class JobLeases
{
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(6);

    private const int TimeoutSeconds = 5;
    private const string IsOf = "tenant_id = $1 and id = $2 and epoch = $3 and status = 'running'";

    /// <summary>Takes jobs that are due, the highest priority first, then the longest due.</summary>
    public static async Task<List<TakenJob>> TakeAsync(
        NpgsqlConnection connection,
        string queue,
        string[] types,
        Guid holder,
        int count,
        int? limit,
        CancellationToken cancellationToken
    )
    {
        // One statement is a transaction by itself, and this one is carried out many times a second for nothing.
        if (limit is not { } most)
            return await TakeAsync(connection, queue, types, holder, count, cancellationToken);
        await using var transaction = await connection.BeginWatchedAsync(cancellationToken);
        // One instance at a time counts and takes. Another that wants to comes again: what it waited here, the leases would not be renewed.
        await using (var running = new NpgsqlBatch(connection, transaction) { Timeout = TimeoutSeconds })
        {
            running.Add("select pg_try_advisory_xact_lock(hashtextextended('verbatim.jobs.' || $1, 0))").With(queue);
            running.Add("select count(*) from platform.jobs where queue = $1 and status = 'running'").With(queue);
            await using var counted = await running.ExecuteReaderAsync(cancellationToken);
            await counted.ReadAsync(cancellationToken);
            if (!counted.GetBoolean(0))
                return [];
            await counted.NextResultAsync(cancellationToken);
            await counted.ReadAsync(cancellationToken);
            count = Math.Min(count, most - (int)counted.GetInt64(0));
        }
        var taken = count <= 0 ? [] : await TakeAsync(connection, queue, types, holder, count, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return taken;
    }

    private static async Task<List<TakenJob>> TakeAsync(
        NpgsqlConnection connection,
        string queue,
        string[] types,
        Guid holder,
        int count,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            with due as materialized (
                select tenant_id, id from platform.jobs
                where queue = $1 and status = 'waiting' and due_at <= clock_timestamp() and type = any($2)
                order by priority desc, due_at for update skip locked limit $3)
            update platform.jobs j
            set status = 'running', holder = $4, epoch = epoch + 1, attempts = attempts + 1,
                lease_until = clock_timestamp() + $5, started_at = clock_timestamp()
            from due where j.tenant_id = due.tenant_id and j.id = due.id
            returning j.tenant_id, j.id, j.epoch, j.type, j.payload, j.attempts, j.correlation
            """,
            connection
        );
        command.CommandTimeout = TimeoutSeconds;
        command.With(queue).With(types).With(count).With(holder).With(Length);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var taken = new List<TakenJob>();
        while (await reader.ReadAsync(cancellationToken))
            taken.Add(
                new TakenJob(
                    reader.GetGuid(0),
                    reader.GetGuid(1),
                    reader.GetInt64(2),
                    reader.GetString(3),
                    reader.GetString(4),
                    reader.GetInt32(5),
                    reader.GetString(6)
                )
            );
        return taken;
    }

    /// <summary>Renews the leases of what this instance runs.</summary>
    /// <returns>What is still its own, and whether somebody wants it cancelled.</returns>
    public static async Task<Dictionary<JobKey, bool>> RenewAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<JobKey> running,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            update platform.jobs j set lease_until = clock_timestamp() + $4
            from unnest($1, $2, $3) as held (tenant_id, id, epoch)
            where j.tenant_id = held.tenant_id and j.id = held.id and j.epoch = held.epoch and j.status = 'running'
            returning j.tenant_id, j.id, j.epoch, j.cancel_requested_at is not null
            """,
            connection
        );
        return await ReadAsync(With(command, running).With(Length), cancellationToken);
    }

    /// <summary>Which of what this instance runs somebody wants cancelled.</summary>
    public static async Task<Dictionary<JobKey, bool>> ReadCancelledAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<JobKey> running,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            select j.tenant_id, j.id, j.epoch, true from platform.jobs j
            join unnest($1, $2, $3) as held (tenant_id, id, epoch)
                on j.tenant_id = held.tenant_id and j.id = held.id and j.epoch = held.epoch
            where j.status = 'running' and j.cancel_requested_at is not null
            """,
            connection
        );
        return await ReadAsync(With(command, running), cancellationToken);
    }

    /// <summary>Takes back what an instance held that was not heard of any more.</summary>
    /// <returns>How many.</returns>
    public static async Task<int> RecoverAsync(
        NpgsqlConnection connection,
        string[] types,
        int[] maxAttempts,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            with lost as materialized (
                select j.tenant_id, j.id, m.max_attempts from platform.jobs j
                join unnest($1, $2) as m (type, max_attempts) on m.type = j.type
                where j.status = 'running' and j.lease_until < clock_timestamp() for update of j skip locked limit 1000)
            update platform.jobs j
            set status = case when j.cancel_requested_at is not null then 'cancelled'
                    when j.attempts >= lost.max_attempts then 'dead' else 'waiting' end,
                reason = 'The instance that ran it was not heard of any more.',
                finished_at = case when j.cancel_requested_at is not null or j.attempts >= lost.max_attempts then clock_timestamp() end,
                due_at = clock_timestamp(), holder = null, lease_until = null, epoch = epoch + 1
            from lost where j.tenant_id = lost.tenant_id and j.id = lost.id
            """,
            connection
        );
        command.CommandTimeout = TimeoutSeconds;
        return await command.With(types).With(maxAttempts).ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>It failed: tried again after a pause, or dead.</summary>
    public static Task FailAsync(
        NpgsqlConnection connection,
        JobKey job,
        string reason,
        bool isDead,
        TimeSpan pause,
        CancellationToken cancellationToken
    ) =>
        ExecuteAsync(
            connection,
            $"""
            update platform.jobs set status = case when cancel_requested_at is not null then 'cancelled' when $4 then 'dead' else 'waiting' end,
                reason = $5, due_at = clock_timestamp() + $6, holder = null, lease_until = null,
                finished_at = case when $4 or cancel_requested_at is not null then clock_timestamp() end
            where {IsOf}
            """,
            c => c.With(job.TenantId).With(job.Id).With(job.Epoch).With(isDead).With(reason).With(pause),
            cancellationToken
        );

    /// <summary>It stopped because somebody wanted so.</summary>
    public static Task CancelAsync(NpgsqlConnection connection, JobKey job, CancellationToken cancellationToken) =>
        ExecuteAsync(
            connection,
            $"""
            update platform.jobs set status = 'cancelled', finished_at = clock_timestamp(), holder = null, lease_until = null
            where {IsOf}
            """,
            c => c.With(job.TenantId).With(job.Id).With(job.Epoch),
            cancellationToken
        );

    /// <summary>Gives it back as if it had not been taken: for another instance, at once.</summary>
    public static Task ReleaseAsync(
        NpgsqlConnection connection,
        JobKey job,
        TimeSpan pause,
        CancellationToken cancellationToken
    ) =>
        ExecuteAsync(
            connection,
            $"""
            update platform.jobs set status = 'waiting', attempts = attempts - 1, due_at = clock_timestamp() + $4,
                holder = null, lease_until = null, epoch = epoch + 1
            where {IsOf}
            """,
            c => c.With(job.TenantId).With(job.Id).With(job.Epoch).With(pause),
            cancellationToken
        );

    private static async Task ExecuteAsync(
        NpgsqlConnection connection,
        string sql,
        Func<NpgsqlCommand, NpgsqlCommand> with,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.CommandTimeout = TimeoutSeconds;
        await with(command).ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand With(NpgsqlCommand command, IReadOnlyCollection<JobKey> jobs)
    {
        command.CommandTimeout = TimeoutSeconds;
        return command
            .With<Guid[]>([.. jobs.Select(j => j.TenantId)])
            .With<Guid[]>([.. jobs.Select(j => j.Id)])
            .With<long[]>([.. jobs.Select(j => j.Epoch)]);
    }

    private static async Task<Dictionary<JobKey, bool>> ReadAsync(
        NpgsqlCommand command,
        CancellationToken cancellationToken
    )
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var jobs = new Dictionary<JobKey, bool>();
        while (await reader.ReadAsync(cancellationToken))
            jobs.Add(new JobKey(reader.GetGuid(0), reader.GetGuid(1), reader.GetInt64(2)), reader.GetBoolean(3));
        return jobs;
    }
}
