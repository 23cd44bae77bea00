using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Modules.Gateway.InferenceIndex;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.Retentions;

/// <summary>
/// Removes rows of the list of calls that are not shown any more, and the hashes of words of those that are not searched any more, a little at a
/// time; and destroys the keys of the days whose bodies are not to be read any more. Every instance does. Reading goes by the settings themselves,
/// so nothing hangs on when this runs.
/// </summary>
internal sealed partial class RetentionSweeper(
    Database database,
    EventStore events,
    PersonalDays days,
    TimeProvider time,
    ILogger<RetentionSweeper> logger
) : BackgroundService
{
    /// <summary>A key is destroyed by a setting that has held for so long: until then a mistake can be taken back.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromHours(24);

    private const int BatchSize = 1000;
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);
    private static readonly AppendContext Actor = new(Guid.Empty, "system:retention", "");

    private readonly ILogger<RetentionSweeper> _logger = logger;

    // Up to where the words of an organization were taken away, in which build of the projection: most rows are looked at once.
    private readonly Dictionary<(Guid TenantId, int Build), Guid> _cleared = [];

    /// <summary>Removes all that there is to remove now.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var build = await ReadBuildAsync(cancellationToken);
        foreach (var (tenantId, retention) in await ReadAsync(cancellationToken))
        {
            if (retention.ListedFrom(time.GetUtcNow()) is { } listed)
                await RunAsync(
                    $"""
                    delete from {InferenceIndexProjection.View} where tenant_id = $1 and id in (
                        select id from {InferenceIndexProjection.View}
                        where tenant_id = $1 and started_at < $2 and id >= $3 and id < $4 order by id limit $5)
                    """,
                    tenantId,
                    Guid.Empty,
                    listed,
                    cancellationToken
                );
            if (retention.FullFrom(time.GetUtcNow()) is not { } full)
                continue;
            await RunAsync(
                $"""
                update {InferenceIndexProjection.View} set words = null where tenant_id = $1 and id in (
                    select id from {InferenceIndexProjection.View}
                    where tenant_id = $1 and started_at < $2 and id >= $3 and id < $4 and words is not null order by id limit $5)
                """,
                tenantId,
                _cleared.GetValueOrDefault((tenantId, build)),
                full,
                cancellationToken
            );
            await RunAsync(
                """
                delete from gateway.response_output where (tenant_id, response_id) in (
                    select o.tenant_id, o.response_id
                    from gateway.background_responses b join gateway.response_output o using (tenant_id, response_id)
                    where b.tenant_id = $1 and b.created_at < $2 and b.inference_id >= $3 and b.inference_id < $4 and b.ended_at is not null
                    limit $5)
                """,
                tenantId,
                Guid.Empty,
                full,
                cancellationToken
            );
            _cleared[(tenantId, build)] = IndexQuery.FirstIdBefore(full);
            await EraseAsync(tenantId, full, cancellationToken);
        }
    }

    // What was recorded on a day is over when all of that day is.
    private async Task EraseAsync(Guid tenantId, DateTimeOffset full, CancellationToken cancellationToken)
    {
        DateTimeOffset? since = null;
        await foreach (var recorded in events.ReadStreamAsync(tenantId, Retention.IdOf(tenantId), 1, cancellationToken))
            since = recorded.Time;
        if (since is null || time.GetUtcNow() - since < Grace)
            return;
        var ended = await days.EraseBeforeAsync(
            Actor with
            {
                TenantId = tenantId,
            },
            DateOnly.FromDateTime(full.UtcDateTime),
            cancellationToken
        );
        if (ended.Count > 0)
            LogErased(ended.Count, ended[^1], tenantId);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(e.Message);
            }
        }
    }

    private async Task<List<(Guid TenantId, Retention Retention)>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            select tenant_id, (data ->> 'fullDays')::int, (data ->> 'metadataDays')::int from documents.retention
            where data ->> 'fullDays' is not null or data ->> 'metadataDays' is not null
            """
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var all = new List<(Guid, Retention)>();
        while (await reader.ReadAsync(cancellationToken))
            all.Add((reader.GetGuid(0), new Retention(DaysOf(reader, 1), DaysOf(reader, 2))));
        return all;
    }

    private async Task<int> ReadBuildAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "select live_build from platform.projections where name = 'gateway.inferences'"
        );
        return await command.ExecuteScalarAsync(cancellationToken) as int? ?? 0;
    }

    private async Task RunAsync(
        string sql,
        Guid tenantId,
        Guid from,
        DateTimeOffset before,
        CancellationToken cancellationToken
    )
    {
        int changed;
        do
        {
            await using var command = database.Writes.CreateCommand(sql);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
            command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = before.UtcDateTime });
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = from });
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = IndexQuery.FirstIdAfter(before) });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = BatchSize });
            changed = await command.ExecuteNonQueryAsync(cancellationToken);
        } while (changed >= BatchSize);
    }

    private static int? DaysOf(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetInt32(column);

    [LoggerMessage(
        LogLevel.Information,
        "The bodies of {Count} days, the last of them {Day}, have ended for organization {TenantId}: their keys are destroyed"
    )]
    private partial void LogErased(int count, DateOnly day, Guid tenantId);

    [LoggerMessage(LogLevel.Warning, "What is not shown any more could not be removed ({Reason}); trying again later")]
    private partial void LogFailed(string reason);
}
