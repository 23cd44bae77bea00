using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Verbatim.Platform.Http.Idempotency;

/// <summary>Removes what is older than a day, a little at a time. Every instance does; they do not get into each other's way.</summary>
internal sealed partial class IdempotencySweeper(
    IdempotentRequests requests,
    TimeProvider time,
    ILogger<IdempotencySweeper> logger
) : BackgroundService
{
    private const int BatchSize = 1000;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    private readonly ILogger<IdempotencySweeper> _logger = logger;

    /// <summary>Removes all that there is to remove now.</summary>
    public async Task SweepAsync(int batchSize, CancellationToken cancellationToken)
    {
        while (await requests.RemoveExpiredAsync(batchSize, cancellationToken) == batchSize)
            cancellationToken.ThrowIfCancellationRequested();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SweepAsync(BatchSize, stoppingToken);
            }
            catch (NpgsqlException e)
            {
                LogFailed(e.Message);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Old idempotency keys could not be removed ({Reason}); trying again later")]
    private partial void LogFailed(string reason);
}
