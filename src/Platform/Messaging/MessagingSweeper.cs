using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>Removes finished jobs and closed dead letters after some days, a little at a time. What was decided about them is in the log.</summary>
internal sealed partial class MessagingSweeper(
    Database database,
    JobSettings settings,
    TimeProvider time,
    ILogger<MessagingSweeper> logger
) : BackgroundService
{
    private const int BatchSize = 1000;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    private readonly ILogger<MessagingSweeper> _logger = logger;

    /// <summary>Removes all that there is to remove now.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        await SweepAsync(
            """
            delete from platform.jobs where (tenant_id, id) in (
                select tenant_id, id from platform.jobs
                where status in ('done', 'cancelled', 'discarded') and finished_at < clock_timestamp() - $1
                for update skip locked limit $2)
            """,
            cancellationToken
        );
        await SweepAsync(
            """
            delete from platform.dead_letters where (tenant_id, id) in (
                select tenant_id, id from platform.dead_letters
                where closed_at < clock_timestamp() - $1 for update skip locked limit $2)
            """,
            cancellationToken
        );
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
            catch (NpgsqlException e)
            {
                LogFailed(e.Message);
            }
        }
    }

    private async Task SweepAsync(string sql, CancellationToken cancellationToken)
    {
        int removed;
        do
        {
            await using var command = database.Writes.CreateCommand(sql);
            removed = await command.With(settings.Keep).With(BatchSize).ExecuteNonQueryAsync(cancellationToken);
        } while (removed == BatchSize);
    }

    [LoggerMessage(LogLevel.Warning, "Finished jobs could not be removed ({Reason}); trying again later")]
    private partial void LogFailed(string reason);
}
