using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Evidence.Anchors;

/// <summary>
/// Takes every checkpoint to places outside the database, where whoever rules the database cannot change it: to each in order, at least once,
/// from one instance at a time. A place that fails is tried again later and holds up nobody else.
/// </summary>
internal sealed partial class CheckpointAnchor(
    Database database,
    AnchorTargets targets,
    TimeProvider time,
    ILogger<CheckpointAnchor> logger
) : BackgroundService
{
    // The checkpoints that are held at once, however many wait.
    private const int PageSize = 100;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly ILogger<CheckpointAnchor> _logger = logger;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(targets.All.Select(target => FollowAsync(target, stoppingToken)));

    private async Task FollowAsync(IAnchorTarget target, CancellationToken cancellationToken)
    {
        var pause = Interval;
        var isFailing = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await DeliverAsync(target, cancellationToken);
                if (isFailing)
                    LogRecovered(target.Name);
                (pause, isFailing) = (Interval, false);
            }
            catch (Exception e) when (e is not OutOfMemoryException && !cancellationToken.IsCancellationRequested)
            {
                if (!isFailing)
                    LogFailed(e, target.Name);
                pause = isFailing ? Min(pause * 2, LongestPause) : Interval;
                isFailing = true;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task DeliverAsync(IAnchorTarget target, CancellationToken cancellationToken)
    {
        // Asked without a lock: most of the time there is nothing to do.
        if (!await HasMoreAsync(target, cancellationToken))
            return;
        // Held by a connection of its own and not by a transaction, which would keep vacuum from its work while a target is slow.
        await using var connection = await database.Dedicated.OpenConnectionAsync(cancellationToken);
        if (!await TryLockAsync(target, connection, cancellationToken))
            return;
        var delivered = await ReadPositionAsync(target, connection, cancellationToken);
        while (await ReadPageAsync(delivered, connection, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var checkpoint in page)
            {
                await target.TakeAsync(checkpoint, cancellationToken);
                // Taken is taken, also when the server stops now.
                await WritePositionAsync(target, checkpoint.TreeSize, connection, CancellationToken.None);
                delivered = checkpoint.TreeSize;
            }
        }
    }

    private async Task<bool> HasMoreAsync(IAnchorTarget target, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            select coalesce((select max(tree_size) from platform.checkpoints), 0)
                > coalesce((select tree_size from platform.anchors where target = $1), 0)
            """
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = target.Id });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task<bool> TryLockAsync(
        IAnchorTarget target,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "select pg_try_advisory_lock(hashtextextended('platform.anchors ' || $1, 0))",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = target.Id });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    // A new target begins with the newest checkpoint: it covers all that came before.
    private static async Task<long> ReadPositionAsync(
        IAnchorTarget target,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            with begun as (
                insert into platform.anchors (target, tree_size)
                select $1, coalesce(
                    (select tree_size from platform.checkpoints order by tree_size desc offset 1 limit 1), 0)
                on conflict (target) do nothing
                returning tree_size
            )
            select tree_size from begun union all select tree_size from platform.anchors where target = $1
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = target.Id });
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task<List<StoredCheckpoint>> ReadPageAsync(
        long above,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            select tree_size, time, root_hash, note from platform.checkpoints
            where tree_size > $1 order by tree_size limit $2
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = above });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = PageSize });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var page = new List<StoredCheckpoint>();
        while (await reader.ReadAsync(cancellationToken))
            page.Add(
                new StoredCheckpoint(
                    reader.GetInt64(0),
                    reader.GetDateTime(1),
                    reader.GetFieldValue<byte[]>(2),
                    reader.GetString(3)
                )
            );
        return page;
    }

    // Only forwards: an instance that lost its lock without noticing does not take back what another has delivered since.
    private static async Task WritePositionAsync(
        IAnchorTarget target,
        long treeSize,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "update platform.anchors set tree_size = $2 where target = $1 and tree_size < $2",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = target.Id });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = treeSize });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    [LoggerMessage(LogLevel.Error, "Checkpoints cannot be taken to {Target}; trying again")]
    private partial void LogFailed(Exception exception, string target);

    [LoggerMessage(LogLevel.Information, "Checkpoints reach {Target} again")]
    private partial void LogRecovered(string target);
}
