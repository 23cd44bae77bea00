using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>
/// Begins builds of projections, and shows them when they are done. Every instance does; one at a time for each projection. The events of a
/// build are handled as those of any subscription.
/// </summary>
internal sealed partial class ProjectionBuilder(
    SubscriptionCatalog catalog,
    Database database,
    TimeProvider time,
    ILogger<ProjectionBuilder> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    // While the live build is held still so that the next one can come as far.
    private static readonly TimeSpan CatchUpPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CatchUpInterval = TimeSpan.FromMilliseconds(20);

    // It is worth holding the live one still only when the next is about as far.
    private const int CatchUpEvents = 5_000;

    // A reader that takes long must not make all others wait behind a change.
    private const string LockBriefly = "set local lock_timeout = '3s'";

    private readonly ILogger<ProjectionBuilder> _logger = logger;
    private readonly HashSet<string> _failing = new(StringComparer.Ordinal);

    private sealed record State(
        int Live,
        int LiveVersion,
        int? Next,
        int? NextVersion,
        bool IsRebuildWanted,
        int? Removed
    );

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (catalog.Projections.Count == 0)
            return;
        while (!stoppingToken.IsCancellationRequested)
        {
            foreach (var projection in catalog.Projections)
            {
                try
                {
                    await AdvanceAsync(projection, stoppingToken);
                    _failing.Remove(projection.Name);
                }
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
                {
                    if (_failing.Add(projection.Name))
                        LogFailed(e, projection.Name);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task AdvanceAsync(Subscription projection, CancellationToken cancellationToken)
    {
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginWatchedAsync(cancellationToken);
        if (!await TryLockAsync(connection, projection.Name, cancellationToken))
            return;
        var state = await ReadAsync(connection, projection.Name, cancellationToken);
        if (state is null)
        {
            await BeginAsync(connection, projection, cancellationToken);
            await CreateBuildAsync(connection, projection, 1, cancellationToken);
        }
        else if (state.Removed is { } removed)
            await DropAsync(connection, projection, removed, cancellationToken);
        // An older version of the product leaves what a newer one has made alone.
        else if (Math.Max(state.LiveVersion, state.NextVersion ?? 0) > projection.Version!.Value)
            return;
        else if (
            state.Next is null
                ? state.IsRebuildWanted || state.LiveVersion < projection.Version
                : state.NextVersion < projection.Version
        )
        {
            if (state.Next is { } stale)
                await RemoveBuildAsync(connection, projection, stale, cancellationToken);
            await CreateBuildAsync(connection, projection, (state.Next ?? state.Live) + 1, cancellationToken);
        }
        else if (
            state.Next is not { } next
            || !await ShowAsync(connection, projection, state.Live, next, cancellationToken)
        )
            return;
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task<bool> ShowAsync(
        NpgsqlConnection connection,
        Subscription projection,
        int live,
        int next,
        CancellationToken cancellationToken
    )
    {
        var (liveName, nextName) = (projection.BuildName(live), projection.BuildName(next));
        var goal = await ReadGoalAsync(connection, liveName, cancellationToken);
        if (goal - await ReadPositionAsync(connection, nextName, cancellationToken) > CatchUpEvents)
            return false;
        await ExecuteAsync(connection, LockBriefly, cancellationToken);
        await using (
            var hold = new NpgsqlCommand(
                "select from platform.subscription_lanes where name = $1 order by lane for no key update",
                connection
            )
        )
            await hold.With(liveName).ExecuteNonQueryAsync(cancellationToken);
        // Read once: the live one is held still, but where build 0 is the live one, nobody holds the log.
        goal = await ReadGoalAsync(connection, liveName, cancellationToken);
        var began = time.GetTimestamp();
        while (await ReadPositionAsync(connection, nextName, cancellationToken) < goal)
        {
            if (time.GetElapsedTime(began) > CatchUpPatience)
                return false;
            await Task.Delay(CatchUpInterval, time, cancellationToken);
        }
        await ExecuteAsync(
            connection,
            $"drop view {projection.View}; create view {projection.View} as select * from {projection.TableOf(next)}",
            cancellationToken
        );
        await RemoveBuildAsync(connection, projection, live, cancellationToken);
        await using var show = new NpgsqlCommand(
            "update platform.projections set live_build = $2 where name = $1",
            connection
        );
        await show.With(projection.Name).With(next).ExecuteNonQueryAsync(cancellationToken);
        LogShown(projection.Name, next);
        return true;
    }

    // How far the next build must have come. Build 0 stands at the beginning and has no subscription; for it that is the head of the log.
    private static async Task<long> ReadGoalAsync(
        NpgsqlConnection connection,
        string live,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            select coalesce(
                (select max(position) from platform.subscription_checkpoints where name = $1),
                (select max(position) from platform.events), 0)
            """,
            connection
        );
        return (long)(await command.With(live).ExecuteScalarAsync(cancellationToken))!;
    }

    // -1 when it has not begun.
    private static async Task<long> ReadPositionAsync(
        NpgsqlConnection connection,
        string build,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "select coalesce((select position from platform.subscription_positions where name = $1), -1)",
            connection
        );
        return (long)(await command.With(build).ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task BeginAsync(
        NpgsqlConnection connection,
        Subscription projection,
        CancellationToken cancellationToken
    )
    {
        await using (var batch = new NpgsqlBatch(connection))
        {
            batch.Add("insert into platform.projections (name) values ($1)").With(projection.Name);
            batch
                .Add("insert into platform.projection_builds (name, build, version) values ($1, 0, 0)")
                .With(projection.Name);
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }
        await ExecuteAsync(connection, $"create schema if not exists {projection.Schema}", cancellationToken);
        await ExecuteAsync(connection, projection.CreateTableSql!(projection.TableOf(0)), cancellationToken);
        await ExecuteAsync(
            connection,
            $"create view {projection.View} as select * from {projection.TableOf(0)}",
            cancellationToken
        );
    }

    private async Task CreateBuildAsync(
        NpgsqlConnection connection,
        Subscription projection,
        int build,
        CancellationToken cancellationToken
    )
    {
        await ExecuteAsync(connection, projection.CreateTableSql!(projection.TableOf(build)), cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch
            .Add("insert into platform.projection_builds (name, build, version) values ($1, $2, $3)")
            .With(projection.Name)
            .With(build)
            .With(projection.Version!.Value);
        batch.Add("update platform.projections set rebuild_requested_at = null where name = $1").With(projection.Name);
        batch.Add("insert into platform.subscriptions (name) values ($1)").With(projection.BuildName(build));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        LogBegun(projection.Name, build);
    }

    // The table goes later: handlers that are at it now end with their subscription, but not before this transaction does.
    private static async Task RemoveBuildAsync(
        NpgsqlConnection connection,
        Subscription projection,
        int build,
        CancellationToken cancellationToken
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        batch
            .Add("update platform.projection_builds set removed_at = clock_timestamp() where name = $1 and build = $2")
            .With(projection.Name)
            .With(build);
        batch.Add("delete from platform.subscriptions where name = $1").With(projection.BuildName(build));
        // What could not be handled for this table was handled, or not, for the other.
        batch.Add("delete from platform.dead_letters where subscription = $1").With(projection.BuildName(build));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task DropAsync(
        NpgsqlConnection connection,
        Subscription projection,
        int build,
        CancellationToken cancellationToken
    )
    {
        await ExecuteAsync(connection, LockBriefly, cancellationToken);
        await ExecuteAsync(connection, $"drop table if exists {projection.TableOf(build)}", cancellationToken);
        await using var command = new NpgsqlCommand(
            "delete from platform.projection_builds where name = $1 and build = $2",
            connection
        );
        await command.With(projection.Name).With(build).ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<bool> TryLockAsync(
        NpgsqlConnection connection,
        string name,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "select pg_try_advisory_xact_lock(hashtextextended('verbatim.projection.' || $1, 0))",
            connection
        );
        return (bool)(await command.With(name).ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task<State?> ReadAsync(
        NpgsqlConnection connection,
        string name,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            select p.live_build, coalesce(l.version, 0), n.build, n.version, p.rebuild_requested_at is not null,
                (select min(r.build) from platform.projection_builds r where r.name = p.name and r.removed_at is not null)
            from platform.projections p
            left join platform.projection_builds l on l.name = p.name and l.build = p.live_build
            left join platform.projection_builds n
                on n.name = p.name and n.build <> p.live_build and n.removed_at is null
            where p.name = $1
            """,
            connection
        );
        await using var reader = await command.With(name).ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        var hasNext = !await reader.IsDBNullAsync(2, cancellationToken);
        return new State(
            reader.GetInt32(0),
            reader.GetInt32(1),
            hasNext ? reader.GetInt32(2) : null,
            hasNext ? reader.GetInt32(3) : null,
            reader.GetBoolean(4),
            await reader.IsDBNullAsync(5, cancellationToken) ? null : reader.GetInt32(5)
        );
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Information, "The projection {Name} is being built (build {Build})")]
    private partial void LogBegun(string name, int build);

    [LoggerMessage(LogLevel.Information, "The projection {Name} shows build {Build}")]
    private partial void LogShown(string name, int build);

    [LoggerMessage(LogLevel.Error, "The projection {Name} cannot be built; it is tried again")]
    private partial void LogFailed(Exception exception, string name);
}
