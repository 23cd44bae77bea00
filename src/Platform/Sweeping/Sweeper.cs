using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Sweeping;

/// <summary>Carries out every <see cref="Sweep"/>, a little at a time. Each instance does.</summary>
internal sealed partial class Sweeper(
    Database database,
    IEnumerable<Sweep> sweeps,
    TimeProvider time,
    ILogger<Sweeper> logger
) : BackgroundService
{
    /// <summary>How many rows one statement removes at most.</summary>
    public const int BatchSize = 1000;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    private readonly ILogger<Sweeper> _logger = logger;

    /// <summary>Removes all that there is to remove now.</summary>
    /// <returns>How many rows of each table.</returns>
    public async Task<IReadOnlyDictionary<string, int>> SweepAsync(int batchSize, CancellationToken cancellationToken)
    {
        var removed = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var sweep in sweeps)
            removed[sweep.Table] = await SweepAsync(sweep, batchSize, cancellationToken);
        return removed;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var sweep in sweeps)
            {
                try
                {
                    await SweepAsync(sweep, BatchSize, stoppingToken);
                }
                catch (NpgsqlException e)
                {
                    LogFailed(sweep.Table, e.Message);
                }
            }
        }
    }

    private async Task<int> SweepAsync(Sweep sweep, int batchSize, CancellationToken cancellationToken)
    {
        var removed = 0;
        int now;
        do
        {
            now = await sweep.RemoveAsync(database, batchSize, cancellationToken);
            removed += now;
        } while (now == batchSize);
        return removed;
    }

    [LoggerMessage(
        LogLevel.Warning,
        "Rows of {Table} whose time is over could not be removed ({Reason}); trying again later"
    )]
    private partial void LogFailed(string table, string reason);
}
