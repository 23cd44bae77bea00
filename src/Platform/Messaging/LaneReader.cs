using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Messaging;

/// <summary>A lane's next events.</summary>
/// <param name="Events">In the order of the log; none when there are none up to <paramref name="UpTo"/>.</param>
/// <param name="UpTo">When the events are handled, everything up to here is.</param>
internal sealed record LaneBatch(IReadOnlyList<RecordedEvent> Events, long UpTo);

/// <summary>Reads a lane's events ahead of their handling, so that neither waits for the other.</summary>
internal sealed partial class LaneReader(SubscriptionContext context, Subscription subscription, int lane, int lanes)
{
    // Bodies may be large: whatever the number of events, a batch has about this many bytes at most.
    private const int MaxBatchBytes = 4 * 1024 * 1024;

    // Rows of one query, and the positions that it looks at: more while there is little to find among them.
    private const int MaxRows = 10_000;
    private const int MaxWindow = 1_000_000;

    // How long it sleeps at most: somebody waits for the empty batch, too.
    private static readonly TimeSpan IdleInterval = TimeSpan.FromMilliseconds(250);

    // Under load the log grows with every millisecond; a subscription need not look that often. The longer it waits, the more belongs together (the
    // beginning and the end of a call), but the more is still in use when the garbage collector comes by: that costs more than it spares.
    private static readonly TimeSpan RestInterval = TimeSpan.FromMilliseconds(50);

    private readonly ILogger<SubscriptionRunner> _logger = context.Logger;
    private long _after;
    private int _window = MaxRows;

    /// <summary>Reads until it is cancelled, or until the target.</summary>
    /// <param name="after">The lane's checkpoint.</param>
    /// <param name="target">The position to stop at; null for never.</param>
    /// <param name="batches">Where they go; completed at the target.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task RunAsync(
        long after,
        long? target,
        ChannelWriter<LaneBatch> batches,
        CancellationToken cancellationToken
    )
    {
        _after = after;
        try
        {
            await RunAsync(target, batches, cancellationToken);
        }
        finally
        {
            context.Recent.Leave(this);
        }
    }

    private async Task RunAsync(long? target, ChannelWriter<LaneBatch> batches, CancellationToken cancellationToken)
    {
        var failures = 0;
        while (true)
        {
            var started = Stopwatch.GetTimestamp();
            var head = target ?? context.Signal.Position;
            try
            {
                if (_after < head)
                    await ReadAsync(head, target, batches, cancellationToken);
                failures = 0;
                if (_after < head)
                    continue;
            }
            catch (NpgsqlException e)
            {
                failures++;
                if (failures == 1)
                    LogFailed(subscription.Name, e.Message);
                await Task.Delay(Backoff.After(failures), context.Time, cancellationToken);
                continue;
            }
            if (target is not null)
            {
                batches.Complete();
                return;
            }
            if (lanes == 1)
                context.Recent.Reached(this, _after);
            await batches.WriteAsync(new LaneBatch([], _after), cancellationToken);
            await context.Signal.WaitAsync(head, IdleInterval, context.Time, cancellationToken);
            var rest = RestInterval - Stopwatch.GetElapsedTime(started);
            if (rest > TimeSpan.Zero)
                await Task.Delay(rest, context.Time, cancellationToken);
        }
    }

    private async Task ReadAsync(
        long head,
        long? target,
        ChannelWriter<LaneBatch> batches,
        CancellationToken cancellationToken
    )
    {
        // What this instance has appended itself need not be asked for. A projection that is built reads the log alone, whatever it was built for.
        if (
            target is null
            && lanes == 1
            && context.Recent.Read(this, subscription.EventTypes, _after, head, MaxRows, out var reached) is { } recent
        )
        {
            await HandOnAsync(recent.ToAsyncEnumerable(), reached, batches, cancellationToken);
            return;
        }
        var upTo = Math.Min(head, _after + _window);
        await using var connection = await context.Database.Writes.OpenConnectionAsync(cancellationToken);
        var found = await HandOnAsync(
            LogReader.ReadLaneAsync(
                connection,
                subscription.EventTypes,
                lane,
                lanes,
                _after,
                upTo,
                MaxRows,
                cancellationToken
            ),
            upTo,
            batches,
            cancellationToken
        );
        _window = found < MaxRows / 2 ? Math.Min(MaxWindow, _window * 2) : MaxRows;
    }

    // Fewer than the most there are mean that there are no more up to the position.
    private async Task<int> HandOnAsync(
        IAsyncEnumerable<RecordedEvent> events,
        long upTo,
        ChannelWriter<LaneBatch> batches,
        CancellationToken cancellationToken
    )
    {
        var found = 0;
        var batch = new List<RecordedEvent>();
        long bytes = 0;
        await foreach (var recorded in events)
        {
            batch.Add(recorded);
            found++;
            bytes += recorded.Data.Length;
            if (batch.Count < subscription.BatchSize && bytes < MaxBatchBytes)
                continue;
            await WriteAsync(batch, recorded.Position);
            (batch, bytes) = ([], 0);
        }
        var last = found == MaxRows ? (batch.Count > 0 ? batch[^1].Position : _after) : upTo;
        if (last > _after)
            await WriteAsync(batch, last);
        return found;

        async Task WriteAsync(List<RecordedEvent> handedOn, long reached)
        {
            await batches.WriteAsync(new LaneBatch(handedOn, reached), cancellationToken);
            _after = reached;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The events of {Name} cannot be read ({Reason}); trying again")]
    private partial void LogFailed(string name, string reason);
}
