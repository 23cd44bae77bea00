using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Verbatim.Modules.Identity.Lockouts;

/// <summary>Removes counts that say nothing any more, every hour.</summary>
internal sealed partial class LoginAttemptSweeper(
    LoginAttempts attempts,
    TimeProvider time,
    ILogger<LoginAttemptSweeper> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    private readonly ILogger<LoginAttemptSweeper> _logger = logger;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await attempts.SweepAsync(stoppingToken);
            }
            catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
            {
                if (!stoppingToken.IsCancellationRequested)
                    LogFailed(e);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Counts of attempts to log in could not be swept; it is tried again in an hour")]
    private partial void LogFailed(Exception exception);
}
