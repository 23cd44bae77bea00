using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>A subscription that this instance runs: takes its lease, runs its lanes for as long as that lasts, and gives it back.</summary>
internal sealed partial class SubscriptionSession(SubscriptionContext context, Subscription subscription) : IDisposable
{
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(2);

    private readonly ILogger<SubscriptionRunner> _logger = context.Logger;

    // Ends the session by itself when the lease is not renewed in time, a little before others may take it.
    private readonly CancellationTokenSource _lease = new(Leases.Length, context.Time);
    private volatile IReadOnlyList<SubscriptionLane> _running = [];
    private long _epoch;

    public string Name => subscription.Name;

    /// <summary>The epoch of its lease; null until it has one.</summary>
    public long? Epoch => Volatile.Read(ref _epoch) is > 0 and var epoch ? epoch : null;

    /// <summary>Ends when the session does, whatever the reason; never fails.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    public void Start(CancellationToken cancellationToken) =>
        Completion = Task.Run(() => RunAsync(cancellationToken), CancellationToken.None);

    /// <summary>The lease was renewed by a statement that was sent so long ago.</summary>
    public void Renewed(TimeSpan ago)
    {
        var left = Leases.Length - ago;
        if (left <= TimeSpan.Zero)
            _lease.Cancel();
        else
            _lease.CancelAfter(left);
    }

    /// <summary>Handlers are cancelled; what they had begun is rolled back.</summary>
    public void Stop() => _lease.Cancel();

    public void LookAtDecided()
    {
        foreach (var lane in _running)
            lane.LookAtDecided();
    }

    public void Dispose() => _lease.Dispose();

    private async Task RunAsync(CancellationToken stoppingToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, _lease.Token);
        try
        {
            int lanes;
            await using (var connection = await context.Database.Writes.OpenConnectionAsync(both.Token))
            {
                var taken = await Leases.TakeAsync(
                    connection,
                    Name,
                    context.Instance.Id,
                    subscription.Lanes,
                    both.Token
                );
                if (taken is null)
                    return;
                Volatile.Write(ref _epoch, taken.Value.Epoch);
                lanes = taken.Value.Lanes;
            }
            LogTaken(Name, _epoch);
            if (lanes != subscription.Lanes)
                await ChangeLanesAsync(lanes, both.Token);
            await RunLanesAsync(subscription.Lanes, target: null, both.Token);
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            // Stopped, paused, or not renewed in time.
        }
        catch (LeaseLostException)
        {
            LogLost(Name);
        }
        catch (Exception e)
        {
            LogFailed(e, Name);
        }
        finally
        {
            if (Epoch is { } epoch)
                await ReleaseAsync(epoch);
        }
    }

    // Which lane a stream belongs to hangs on their number, so all come to the same position first.
    private async Task ChangeLanesAsync(int lanes, CancellationToken cancellationToken)
    {
        var target = await ReadFurthestAsync(cancellationToken);
        await RunLanesAsync(lanes, target, cancellationToken);
        await using var connection = await context.Database.Writes.OpenConnectionAsync(cancellationToken);
        await Leases.ChangeLanesAsync(connection, Name, _epoch, subscription.Lanes, target, cancellationToken);
        LogLanesChanged(Name, lanes, subscription.Lanes, target);
    }

    private async Task RunLanesAsync(int lanes, long? target, CancellationToken cancellationToken)
    {
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _running =
        [
            .. Enumerable.Range(0, lanes).Select(i => new SubscriptionLane(context, subscription, _epoch, i, lanes)),
        ];
        var running = _running.Select(l => Task.Run(() => l.RunAsync(target, together.Token), together.Token)).ToList();
        try
        {
            while (running.Count > 0)
            {
                var ended = await Task.WhenAny(running);
                running.Remove(ended);
                await ended;
            }
        }
        finally
        {
            await together.CancelAsync();
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<long> ReadFurthestAsync(CancellationToken cancellationToken)
    {
        await using var command = context.Database.Writes.CreateCommand(
            "select max(position) from platform.subscription_checkpoints where name = $1"
        );
        return (long)(await command.With(Name).ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task ReleaseAsync(long epoch)
    {
        try
        {
            using var patience = new CancellationTokenSource(ReleasePatience, context.Time);
            await using var connection = await context.Database.Writes.OpenConnectionAsync(patience.Token);
            await Leases.ReleaseAsync(connection, Name, epoch, patience.Token);
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            // It runs out by itself.
            LogNotReleased(Name, e.Message);
        }
    }

    [LoggerMessage(LogLevel.Debug, "{Name} is run by this instance (epoch {Epoch})")]
    private partial void LogTaken(string name, long epoch);

    [LoggerMessage(LogLevel.Warning, "{Name} was taken over by another instance")]
    private partial void LogLost(string name);

    [LoggerMessage(
        LogLevel.Information,
        "{Name} goes on with {After} lanes instead of {Before}, at position {Position}"
    )]
    private partial void LogLanesChanged(string name, int before, int after, long position);

    [LoggerMessage(LogLevel.Warning, "The lease of {Name} could not be given back ({Reason}); it runs out")]
    private partial void LogNotReleased(string name, string reason);

    [LoggerMessage(LogLevel.Error, "{Name} stopped; it is started again")]
    private partial void LogFailed(Exception exception, string name);
}
