using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Verbatim.Modules.Identity.Lockouts;

/// <summary>
/// An attempt is counted as failed before it is looked at. Should the database go away before that is taken back, it is taken back as soon as the
/// database is there again: an outage locks nobody out.
/// </summary>
internal sealed partial class LateSettlements(TimeProvider time, ILogger<LateSettlements> logger) : BackgroundService
{
    // Beyond that, attempts stay counted as failed.
    private const int MaxLate = 10_000;
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly ILogger<LateSettlements> _logger = logger;
    private readonly ConcurrentQueue<Func<Task>> _late = new();
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Settles an attempt, now or later.</summary>
    /// <exception cref="NpgsqlException">Later.</exception>
    public async Task SettleAsync(Func<Task> settle)
    {
        try
        {
            await settle();
        }
        catch (NpgsqlException) when (_late.Count < MaxLate)
        {
            _late.Enqueue(settle);
            throw;
        }
    }

    /// <summary>Settles what is late, if the database is there: what comes next is counted after it.</summary>
    public async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        if (_late.IsEmpty)
            return;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            while (_late.TryPeek(out var settle))
            {
                // Not ended by the visitor who comes by: it is another's.
                await settle();
                _late.TryDequeue(out _);
            }
        }
        catch (NpgsqlException)
        {
            // Not yet.
        }
        finally
        {
            _turn.Release();
        }
    }

    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(RetryInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await CatchUpAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(e);
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "Attempts to log in that were right could not be settled; trying again")]
    private partial void LogFailed(Exception exception);
}
