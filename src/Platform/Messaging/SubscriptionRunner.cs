using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>
/// Runs every subscription: reads behind its checkpoint, hands each event to the handler, and moves the checkpoint in the handler's own
/// transaction. The lock on the checkpoint's row makes one instance run it at a time.
/// </summary>
internal sealed partial class SubscriptionRunner(
    SubscriptionCatalog catalog,
    EventCatalog events,
    EventReader reader,
    LogSignal signal,
    Database database,
    IServiceProvider services,
    TimeProvider time,
    ILogger<SubscriptionRunner> logger
) : BackgroundService
{
    private const int BatchSize = 500;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    // Under load the log grows with every millisecond; a subscription need not look that often.
    private static readonly TimeSpan RestInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(30);

    private readonly ILogger<SubscriptionRunner> _logger = logger;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(catalog.Subscriptions.Select(s => Task.Run(() => RunAsync(s, stoppingToken), stoppingToken)));

    private async Task RunAsync(Subscription subscription, CancellationToken cancellationToken)
    {
        var failures = 0;
        // After a failure event by event, past the one that failed: what comes before it is done then, and not done again.
        var alone = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            var seen = signal.Position;
            var started = Stopwatch.GetTimestamp();
            try
            {
                var isBehind = await AdvanceAsync(subscription, alone > 0 ? 1 : BatchSize, cancellationToken);
                failures = 0;
                alone = Math.Max(0, alone - 1);
                if (!isBehind)
                {
                    await signal.WaitAsync(seen, PollInterval, time, cancellationToken);
                    var rest = RestInterval - Stopwatch.GetElapsedTime(started);
                    if (rest > TimeSpan.Zero)
                        await Task.Delay(rest, time, cancellationToken);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                failures++;
                alone = BatchSize;
                LogFailed(e, subscription.Name, failures);
                var backoff = TimeSpan.FromMilliseconds(
                    Math.Min(MaxBackoff.TotalMilliseconds, 100 * Math.Pow(2, Math.Min(failures, 10)))
                );
                await Task.Delay(backoff * (0.5 + Random.Shared.NextDouble() / 2), time, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <returns>True when there may be more to do at once.</returns>
    private async Task<bool> AdvanceAsync(Subscription subscription, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        if (!await IsBehindAsync(subscription, connection, cancellationToken))
            return false;

        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await LockCheckpointAsync(subscription, connection, cancellationToken) is not { } checkpoint)
            return false;
        var head = await LogReader.ReadHeadAsync(connection, cancellationToken);
        var types = new[] { events.ShapeOf(subscription.EventType).Name };
        var page = await LogReader.ReadTypesAsync(connection, types, checkpoint, head, limit, cancellationToken);
        await using (var scope = services.CreateAsyncScope())
        {
            foreach (var recorded in page)
                await subscription.HandleAsync(
                    await reader.ReadAsync(recorded, cancellationToken),
                    new Message(recorded, transaction),
                    scope.ServiceProvider,
                    cancellationToken
                );
        }

        var reached = page.Count == limit ? page[^1].Position : head;
        await using var move = new NpgsqlCommand(
            "update platform.subscriptions set position = $2, updated_at = now() where name = $1",
            connection
        );
        move.Parameters.Add(new NpgsqlParameter<string> { TypedValue = subscription.Name });
        move.Parameters.Add(new NpgsqlParameter<long> { TypedValue = reached });
        await move.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return reached < head;
    }

    // Asked without a lock or a transaction: most of the time there is nothing to do.
    private static async Task<bool> IsBehindAsync(
        Subscription subscription,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            select coalesce((select position from platform.subscriptions where name = $1), -1)
                < coalesce((select max(position) from platform.events), 0)
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = subscription.Name });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    // Null while another instance holds it.
    private static async Task<long?> LockCheckpointAsync(
        Subscription subscription,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (
            var sql in (string[])
                [
                    "insert into platform.subscriptions (name, position) values ($1, 0) on conflict do nothing",
                    "select position from platform.subscriptions where name = $1 for update skip locked",
                ]
        )
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = subscription.Name });
            batch.BatchCommands.Add(command);
        }
        return (long?)await batch.ExecuteScalarAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Warning, "The subscription {Name} failed ({Failures} in a row); it will be tried again")]
    private partial void LogFailed(Exception exception, string name, int failures);
}
