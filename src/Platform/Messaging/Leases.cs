using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>Another instance runs the subscription now.</summary>
internal sealed class LeaseLostException(string name) : Exception($"The lease of '{name}' is another instance's.");

/// <summary>A subscription's row.</summary>
/// <param name="Name">The subscription.</param>
/// <param name="IsFree">Nobody holds it, or its holder has not been heard of for too long.</param>
/// <param name="IsPaused">Nobody shall.</param>
/// <param name="HasDecided">There are dead letters that somebody has decided about.</param>
internal sealed record LeaseState(string Name, bool IsFree, bool IsPaused, bool HasDecided);

/// <summary>The statements about leases. Times are the database's.</summary>
internal static class Leases
{
    /// <summary>How long a lease lasts without being renewed.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(6);

    // An answer that takes longer is as good as none: by then the lease may be another's.
    private const int TimeoutSeconds = 5;

    public static async Task RegisterAsync(
        NpgsqlConnection connection,
        string[] names,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "insert into platform.subscriptions (name) select unnest($1) on conflict do nothing",
            connection
        );
        command.CommandTimeout = TimeoutSeconds;
        command.With(names);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The subscriptions of the builds of those versions of projections that this instance has.</summary>
    public static async Task<List<string>> ReadBuildsAsync(
        NpgsqlConnection connection,
        IReadOnlyList<Subscription> projections,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            select b.name || '.' || b.build from platform.projection_builds b
            join unnest($1, $2) as own (name, version) on own.name = b.name and own.version = b.version
            where b.removed_at is null
            """,
            connection
        );
        command.CommandTimeout = TimeoutSeconds;
        command
            .With<string[]>([.. projections.Select(p => p.Name)])
            .With<int[]>([.. projections.Select(p => p.Version!.Value)]);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var names = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
            names.Add(reader.GetString(0));
        return names;
    }

    public static async Task<List<LeaseState>> ReadAsync(
        NpgsqlConnection connection,
        string[] names,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            select name, holder is null or lease_until < clock_timestamp(), paused_at is not null,
                exists (select from platform.dead_letters d where d.subscription = s.name and d.status in ('retrying', 'discarding'))
            from platform.subscriptions s where name = any($1)
            """,
            connection
        );
        command.CommandTimeout = TimeoutSeconds;
        command.With(names);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var states = new List<LeaseState>();
        while (await reader.ReadAsync(cancellationToken))
            states.Add(
                new LeaseState(reader.GetString(0), reader.GetBoolean(1), reader.GetBoolean(2), reader.GetBoolean(3))
            );
        return states;
    }

    /// <summary>Takes a free lease. From then on nothing that an earlier holder began can be committed.</summary>
    /// <returns>The lease's epoch and the number of lanes that there are; null when it is not free any more.</returns>
    public static async Task<(long Epoch, int Lanes)?> TakeAsync(
        NpgsqlConnection connection,
        string name,
        Guid holder,
        int lanesIfNew,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await connection.BeginWatchedAsync(cancellationToken);
        long epoch;
        int? lanes;
        await using (
            var take = new NpgsqlCommand(
                """
                update platform.subscriptions set holder = $2, epoch = epoch + 1, lease_until = clock_timestamp() + $3
                where name = $1 and paused_at is null and (holder is null or lease_until < clock_timestamp())
                returning epoch, lanes
                """,
                connection,
                transaction
            )
        )
        {
            take.CommandTimeout = TimeoutSeconds;
            take.With(name);
            take.With(holder);
            take.With(Length);
            await using var reader = await take.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
                return null;
            epoch = reader.GetInt64(0);
            lanes = await reader.IsDBNullAsync(1, cancellationToken) ? null : reader.GetInt32(1);
        }
        if (lanes is null)
            await CreateLanesAsync(connection, name, epoch, lanesIfNew, position: 0, cancellationToken);
        else
            await FenceAsync(connection, name, epoch, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (epoch, lanes ?? lanesIfNew);
    }

    /// <summary>Makes other lanes of those that there are, all of which have come to the same position.</summary>
    /// <exception cref="LeaseLostException">It is another's.</exception>
    public static async Task ChangeLanesAsync(
        NpgsqlConnection connection,
        string name,
        long epoch,
        int lanes,
        long position,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await connection.BeginWatchedAsync(cancellationToken);
        // In the order in which a successor locks them.
        await using var hold = new NpgsqlCommand(
            "select from platform.subscriptions where name = $1 and epoch = $2 for update",
            connection,
            transaction
        );
        hold.With(name).With(epoch);
        await using (var reader = await hold.ExecuteReaderAsync(cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken))
                throw new LeaseLostException(name);
        }
        await using var remove = new NpgsqlCommand(
            "delete from platform.subscription_lanes where name = $1",
            connection,
            transaction
        );
        await remove.With(name).ExecuteNonQueryAsync(cancellationToken);
        await CreateLanesAsync(connection, name, epoch, lanes, position, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Renews what this instance holds.</summary>
    /// <returns>The names that it still holds.</returns>
    public static async Task<HashSet<string>> RenewAsync(
        NpgsqlConnection connection,
        Guid holder,
        IReadOnlyCollection<(string Name, long Epoch)> leases,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            update platform.subscriptions s set lease_until = clock_timestamp() + $4
            from unnest($1, $2) as held (name, epoch)
            where s.name = held.name and s.epoch = held.epoch and s.holder = $3
            returning s.name
            """,
            connection
        );
        command.CommandTimeout = TimeoutSeconds;
        command.With<string[]>([.. leases.Select(l => l.Name)]).With<long[]>([.. leases.Select(l => l.Epoch)]);
        command.With(holder);
        command.With(Length);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var renewed = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
            renewed.Add(reader.GetString(0));
        return renewed;
    }

    /// <summary>Gives a lease back, so that another instance need not wait until it runs out.</summary>
    public static async Task ReleaseAsync(
        NpgsqlConnection connection,
        string name,
        long epoch,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "update platform.subscriptions set holder = null, lease_until = null where name = $1 and epoch = $2",
            connection
        );
        command.CommandTimeout = TimeoutSeconds;
        command.With(name);
        command.With(epoch);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task FenceAsync(
        NpgsqlConnection connection,
        string name,
        long epoch,
        CancellationToken cancellationToken
    )
    {
        // It waits for a transaction that is being committed, and whatever comes later has the wrong epoch.
        await using var command = new NpgsqlCommand(
            "update platform.subscription_lanes set epoch = $2 where name = $1",
            connection
        );
        command.CommandTimeout = TimeoutSeconds;
        command.With(name);
        command.With(epoch);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task CreateLanesAsync(
        NpgsqlConnection connection,
        string name,
        long epoch,
        int lanes,
        long position,
        CancellationToken cancellationToken
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        batch
            .Add("update platform.subscriptions set lanes = $3 where name = $1 and epoch = $2")
            .With(name)
            .With(epoch)
            .With(lanes);
        batch
            .Add(
                """
                insert into platform.subscription_lanes (name, lane, epoch)
                select $1, lane, $2 from generate_series(0, $3 - 1) lane
                """
            )
            .With(name)
            .With(epoch)
            .With(lanes);
        batch
            .Add(
                """
                insert into platform.subscription_checkpoints (name, lane, position)
                select $1, lane, $3 from generate_series(0, $2 - 1) lane
                """
            )
            .With(name)
            .With(lanes)
            .With(position);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
