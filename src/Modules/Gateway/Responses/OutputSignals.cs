using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>
/// Wakes those who read a response's stream when more of it is kept: at once where this instance wrote it, through Postgres where another did.
/// A signal may be lost; whoever waits looks again by itself after a while.
/// </summary>
internal sealed partial class OutputSignals(Database database, TimeProvider time, ILogger<OutputSignals> logger)
    : BackgroundService
{
    /// <summary>Where instances tell each other.</summary>
    public const string Channel = "verbatim_response_output";

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly ILogger<OutputSignals> _logger = logger;
    private readonly ConcurrentDictionary<string, Watch> _watched = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _firstWatch = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Begins to wait for a response's signals, until it is disposed of.</summary>
    public OutputWatch Begin(string responseId)
    {
        _firstWatch.TrySetResult();
        lock (_watched)
        {
            var watch = _watched.GetOrAdd(responseId, static _ => new Watch());
            watch.Readers++;
            return new OutputWatch(this, responseId, watch, time);
        }
    }

    /// <summary>There is more of a response.</summary>
    public void Publish(string responseId)
    {
        if (_watched.TryGetValue(responseId, out var watch))
            watch.Pulse();
    }

    internal void End(string responseId, Watch watch)
    {
        lock (_watched)
        {
            if (--watch.Readers == 0)
                _watched.TryRemove(responseId, out _);
        }
    }

    /// <summary>Listens as soon as somebody waits: an instance that nobody reads from needs no connection for it.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await _firstWatch.Task.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OutOfMemoryException && !stoppingToken.IsCancellationRequested)
            {
                LogDeaf(e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.Delay(RetryDelay, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.Dedicated.OpenConnectionAsync(cancellationToken);
        connection.Notification += (_, told) => Publish(told.Payload);
        await using (var listen = new NpgsqlCommand($"listen {Channel}", connection))
            await listen.ExecuteNonQueryAsync(cancellationToken);
        while (true)
            await connection.WaitAsync(cancellationToken);
    }

    [LoggerMessage(
        LogLevel.Warning,
        "Other instances' output of responses is not heard of at once ({Reason}); trying again"
    )]
    private partial void LogDeaf(string reason);

    /// <summary>A response that somebody waits for.</summary>
    internal sealed class Watch
    {
        private volatile TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Readers { get; set; }

        public Task Next => _next.Task;

        public void Pulse() =>
            Interlocked
                .Exchange(ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
                .TrySetResult();
    }
}

/// <summary>One reader's waiting for a response's signals.</summary>
internal sealed class OutputWatch(
    OutputSignals signals,
    string responseId,
    OutputSignals.Watch watch,
    TimeProvider time
) : IDisposable
{
    private bool _isDisposed;

    /// <summary>What comes next; to be taken before one looks, so that nothing is missed in between.</summary>
    public Task Next => watch.Next;

    /// <summary>Waits for it, or for so long.</summary>
    public async Task WaitAsync(Task next, TimeSpan atMost, CancellationToken cancellationToken)
    {
        try
        {
            await next.WaitAsync(atMost, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Time to look.
        }
    }

    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        signals.End(responseId, watch);
    }
}
