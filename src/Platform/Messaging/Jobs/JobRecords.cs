using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging.Jobs;

/// <summary>A job as it is recorded.</summary>
/// <param name="Id">The job.</param>
/// <param name="TenantId">The organization.</param>
/// <param name="Type">The stored name.</param>
/// <param name="Queue">The queue.</param>
/// <param name="Status"><c>waiting</c>, <c>running</c>, <c>done</c>, <c>cancelled</c>, <c>dead</c> or <c>discarded</c>.</param>
/// <param name="Payload">JSON.</param>
/// <param name="UniqueKey">While it is not finished no other of its type has the same.</param>
/// <param name="Priority">The highest goes first.</param>
/// <param name="Attempts">How often it was begun.</param>
/// <param name="Reason">Why it failed last.</param>
/// <param name="Holder">The instance that runs it.</param>
/// <param name="IsCancelRequested">Somebody wants it to stop.</param>
/// <param name="Actor">Who enqueued it.</param>
/// <param name="Correlation">For which request.</param>
/// <param name="DueAt">Not before (UTC).</param>
/// <param name="EnqueuedAt">UTC.</param>
/// <param name="StartedAt">Of the last attempt (UTC).</param>
/// <param name="FinishedAt">UTC.</param>
public sealed record Job(
    Guid Id,
    Guid TenantId,
    string Type,
    string Queue,
    string Status,
    string Payload,
    string? UniqueKey,
    int Priority,
    int Attempts,
    string? Reason,
    Guid? Holder,
    bool IsCancelRequested,
    string Actor,
    string Correlation,
    DateTime DueAt,
    DateTime EnqueuedAt,
    DateTime? StartedAt,
    DateTime? FinishedAt
);

/// <summary>Jobs, to look at and to decide about.</summary>
public sealed class JobRecords
{
    /// <summary>The SQL state of an append whose decision about a job came too late: it has gone on.</summary>
    public const string HasGoneOn = "VB004";

    private const string Columns =
        "id, tenant_id, type, queue, status, payload, unique_key, priority, attempts, reason, holder, cancel_requested_at is not null, actor, correlation, due_at, enqueued_at, started_at, finished_at";

    private readonly Database _database;

    internal JobRecords(Database database) => _database = database;

    /// <summary>Jobs, newest first.</summary>
    /// <param name="tenantId">Of this organization; null, for an operator, of all.</param>
    /// <param name="type">Of this type, or null.</param>
    /// <param name="queue">Of this queue, or null.</param>
    /// <param name="status">Of this status, or null.</param>
    /// <param name="before">Only those with a smaller id, or null.</param>
    /// <param name="limit">The most that are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<IReadOnlyList<Job>> ListAsync(
        Guid? tenantId,
        string? type,
        string? queue,
        string? status,
        Guid? before,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = _database.Writes.CreateCommand(
            $"""
            select {Columns} from platform.jobs
            where {(tenantId is null ? "$1::uuid is null" : "tenant_id = $1")} and ($2::text is null or type = $2)
                and ($3::text is null or queue = $3) and ($4::text is null or status = $4) and id < $5
            order by id desc limit $6
            """
        );
        command.With(tenantId).With(type).With(queue).With(status).With(before ?? Guid.AllBitsSet).With(limit);
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>A job, or null when this tenant has none of this id.</summary>
    /// <param name="tenantId">The organization; null, for an operator, any.</param>
    /// <param name="id">The job.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<Job?> FindAsync(Guid? tenantId, Guid id, CancellationToken cancellationToken)
    {
        await using var command = _database.Writes.CreateCommand(
            $"""
            select {Columns} from platform.jobs
            where {(tenantId is null ? "$1::uuid is null" : "tenant_id = $1")} and id = $2
            """
        );
        command.With(tenantId).With(id);
        return await ReadAsync(command, cancellationToken) is [var job] ? job : null;
    }

    /// <summary>Has a dead job tried again from the first attempt on: in the transaction that records who wanted so.</summary>
    public static SqlWrite Retry(Job job) => Decide(job, "retry");

    /// <summary>Gives a dead job up: in the transaction that records who wanted so.</summary>
    public static SqlWrite Discard(Job job) => Decide(job, "discard");

    /// <summary>Stops a job that waits or, within a second, one that runs: in the transaction that records who wanted so.</summary>
    public static SqlWrite Cancel(Job job) => Decide(job, "cancel");

    private static SqlWrite Decide(Job job, string verb)
    {
        ArgumentNullException.ThrowIfNull(job);
        return new SqlWrite("select platform.decide_job($1, $2, $3, $4)", job.TenantId, job.Id, job.Status, verb);
    }

    private static async Task<IReadOnlyList<Job>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var jobs = new List<Job>();
        while (await reader.ReadAsync(cancellationToken))
            jobs.Add(
                new Job(
                    reader.GetGuid(0),
                    reader.GetGuid(1),
                    reader.GetString(2),
                    reader.GetString(3),
                    reader.GetString(4),
                    reader.GetString(5),
                    reader.TextOrNull(6),
                    reader.GetInt32(7),
                    reader.GetInt32(8),
                    reader.TextOrNull(9),
                    reader.IdOrNull(10),
                    reader.GetBoolean(11),
                    reader.GetString(12),
                    reader.GetString(13),
                    reader.GetDateTime(14),
                    reader.GetDateTime(15),
                    reader.TimeOrNull(16),
                    reader.TimeOrNull(17)
                )
            );
        return jobs;
    }
}
