using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging.Jobs;

/// <summary>
/// Takes jobs that are due, as many of each queue as this instance runs at a time, renews their leases, and drains them at the end. On a
/// connection of its own, so that nothing that jobs do can delay it.
/// </summary>
internal sealed partial class JobRunner(
    JobCatalog catalog,
    JobSettings settings,
    Database database,
    LogSignal signal,
    IServiceProvider services,
    RunningInstance instance,
    MessagingMeters meters,
    TimeProvider time,
    ILogger<JobRunner> logger
) : BackgroundService
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    // Under load the log grows with every millisecond, and hardly ever by a job.
    private static readonly TimeSpan RestInterval = TimeSpan.FromMilliseconds(25);

    // How late a cancellation, or a job whose instance died, is noticed.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AbandonAfter = TimeSpan.FromSeconds(3);

    private readonly ILogger<JobRunner> _logger = logger;
    private readonly List<RunningJob> _running = [];
    private readonly string[] _types = [.. catalog.Queues.SelectMany(q => q.Types)];
    private readonly int[] _maxAttempts =
    [
        .. catalog.Queues.SelectMany(q => q.Types).Select(t => catalog.Find(t)!.MaxAttempts),
    ];
    private volatile TaskCompletionSource _freed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NpgsqlConnection? _connection;
    private long? _lookedAt;
    private long? _renewedAt;
    private bool _isFailing;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_types.Length == 0)
            return;
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            var seen = signal.Position;
            _freed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            var isMoreDue = await TryTickAsync(takes: true, stoppingToken);
            if (isMoreDue && _running.Exists(j => j.Completion.IsCompleted))
                continue;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            var grown = signal.WaitAsync(seen, PollInterval, time, either.Token);
            // While more is due a place that becomes free is filled at once.
            await (isMoreDue ? Task.WhenAny(grown, _freed.Task) : Task.WhenAny(grown));
            await either.CancelAsync();
            await grown.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!isMoreDue && RestInterval - time.GetElapsedTime(began) is { Ticks: > 0 } rest)
                await Task.Delay(rest, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await DrainAsync();
        await DisconnectAsync();
    }

    private async Task DrainAsync()
    {
        var began = time.GetTimestamp();
        while (_running.Count > 0 && time.GetElapsedTime(began) < settings.Drain)
        {
            await TryTickAsync(takes: false, CancellationToken.None);
            await Task.WhenAny(
                Task.WhenAll(_running.Select(j => j.Completion)),
                Task.Delay(PollInterval, time, CancellationToken.None)
            );
            RemoveEnded();
        }
        if (_running.Count == 0)
            return;
        LogNotDrained(_running.Count);
        foreach (var job in _running)
            job.GiveBack();
        await Task.WhenAny(
            Task.WhenAll(_running.Select(j => j.Completion)),
            Task.Delay(AbandonAfter, time, CancellationToken.None)
        );
        RemoveEnded();
        await Task.WhenAll(_running.Select(j => j.AbandonAsync()));
    }

    /// <returns>True when a queue had more than could be taken.</returns>
    private async Task<bool> TryTickAsync(bool takes, CancellationToken cancellationToken)
    {
        try
        {
            var isMoreDue = await TickAsync(takes, cancellationToken);
            _isFailing = false;
            return isMoreDue;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            if (!_isFailing)
                LogFailed(e);
            _isFailing = true;
            await DisconnectAsync();
        }
        catch (OperationCanceledException)
        {
            // The instance stops.
        }
        return false;
    }

    private async Task<bool> TickAsync(bool takes, CancellationToken cancellationToken)
    {
        _connection ??= await database.Dedicated.OpenConnectionAsync(cancellationToken);
        RemoveEnded();
        if (IsDue(_renewedAt, RenewInterval))
            await RenewAsync(_connection, cancellationToken);
        if (IsDue(_lookedAt, LookInterval))
            await LookAsync(_connection, cancellationToken);
        return takes && await TakeAsync(_connection, cancellationToken);
    }

    private async Task RenewAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var sent = time.GetTimestamp();
        if (_running.Count > 0)
        {
            var own = await JobLeases.RenewAsync(connection, [.. _running.Select(j => j.Key)], cancellationToken);
            foreach (var job in _running)
            {
                if (!own.TryGetValue(job.Key, out var isCancelled))
                    job.Lose();
                else if (isCancelled)
                    job.Cancel();
                else
                    job.Renewed(time.GetElapsedTime(sent));
            }
        }
        _renewedAt = sent;
    }

    private async Task LookAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (_running.Count > 0)
        {
            var cancelled = await JobLeases.ReadCancelledAsync(
                connection,
                [.. _running.Select(j => j.Key)],
                cancellationToken
            );
            foreach (var job in _running.Where(j => cancelled.ContainsKey(j.Key)))
                job.Cancel();
        }
        var recovered = await JobLeases.RecoverAsync(connection, _types, _maxAttempts, cancellationToken);
        if (recovered > 0)
            LogRecovered(recovered);
        _lookedAt = time.GetTimestamp();
    }

    private async Task<bool> TakeAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var isMoreDue = false;
        foreach (var (queue, concurrency, types) in catalog.Queues)
        {
            var own = settings.Queues.GetValueOrDefault(queue);
            var free = (own?.Concurrency ?? concurrency) - _running.Count(j => j.Queue == queue);
            if (free <= 0)
            {
                isMoreDue = true;
                continue;
            }
            var taken = await JobLeases.TakeAsync(
                connection,
                queue,
                types,
                instance.Id,
                free,
                own?.Limit,
                cancellationToken
            );
            foreach (var job in taken)
                Start(job);
            isMoreDue |= taken.Count == free;
        }
        return isMoreDue;
    }

    private void Start(TakenJob taken)
    {
        var job = new RunningJob(taken, catalog.Find(taken.Type)!, database, services, time, _logger);
        _running.Add(job);
        job.Start();
        _ = FreeAsync(job);

        async Task FreeAsync(RunningJob ended)
        {
            await ended.Completion;
            meters.Jobs.Add(1, MessagingMeters.Tag("queue", ended.Queue));
            _freed.TrySetResult();
        }
    }

    private void RemoveEnded()
    {
        foreach (var ended in _running.Where(j => j.Completion.IsCompleted))
            ended.Dispose();
        _running.RemoveAll(j => j.Completion.IsCompleted);
    }

    private bool IsDue(long? since, TimeSpan interval) => since is null || time.GetElapsedTime(since.Value) >= interval;

    private async Task DisconnectAsync()
    {
        var connection = _connection;
        _connection = null;
        if (connection is not null)
            await connection.DisposeAsync();
    }

    [LoggerMessage(LogLevel.Warning, "The database does not answer; no jobs are taken until it does")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(LogLevel.Warning, "{Count} jobs were left behind by an instance that ended; they are done again")]
    private partial void LogRecovered(int count);

    [LoggerMessage(LogLevel.Warning, "{Count} jobs did not end in time; another instance does them")]
    private partial void LogNotDrained(int count);
}
