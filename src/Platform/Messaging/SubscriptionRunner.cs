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
    LogReader reader,
    LogSignal signal,
    Database database,
    IServiceProvider services,
    TimeProvider time,
    ILogger<SubscriptionRunner> logger
) : BackgroundService
{
    private const int BatchSize = 500;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(30);

    private readonly ILogger<SubscriptionRunner> _logger = logger;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(catalog.Subscriptions.Select(s => Task.Run(() => RunAsync(s, stoppingToken), stoppingToken)));

    private async Task RunAsync(Subscription subscription, CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var seen = signal.Position;
                var isBehind = await AdvanceAsync(subscription, cancellationToken);
                failures = 0;
                if (!isBehind)
                    await signal.WaitAsync(seen, PollInterval, time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                failures++;
                LogFailed(e, subscription.Name, failures);
                var backoff = TimeSpan.FromMilliseconds(
                    Math.Min(MaxBackoff.TotalMilliseconds, 100 * Math.Pow(2, Math.Min(failures, 10)))
                );
                await Task.Delay(backoff * (0.5 + Random.Shared.NextDouble() / 2), time, cancellationToken);
            }
        }
    }

    /// <returns>True when there may be more to do at once.</returns>
    private async Task<bool> AdvanceAsync(Subscription subscription, CancellationToken cancellationToken)
    {
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await LockCheckpointAsync(subscription, connection, cancellationToken) is not { } checkpoint)
            return false;

        var head = await reader.ReadHeadAsync(cancellationToken);
        var upTo = Math.Min(head, checkpoint + BatchSize);
        if (upTo == checkpoint)
            return false;

        var type = events.ShapeOf(subscription.EventType).Name;
        await using var scope = services.CreateAsyncScope();
        foreach (var recorded in await reader.ReadTypesAsync([type], checkpoint, upTo, cancellationToken))
            await subscription.HandleAsync(
                events.Read(recorded),
                new Message(recorded, transaction),
                scope.ServiceProvider,
                cancellationToken
            );

        await using var move = new NpgsqlCommand(
            "update platform.subscriptions set position = $2, updated_at = now() where name = $1",
            connection
        );
        move.Parameters.Add(new NpgsqlParameter<string> { TypedValue = subscription.Name });
        move.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        await move.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return upTo < head;
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
