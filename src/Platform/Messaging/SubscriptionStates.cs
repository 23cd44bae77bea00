using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>How a subscription fares, on whichever instance it runs.</summary>
/// <param name="Name">The subscription.</param>
/// <param name="EventTypes">The stored names of its events; none when no module of this build has it.</param>
/// <param name="State">
/// <c>running</c>; <c>failing</c>, with a handler that is tried again; <c>paused</c>; <c>idle</c>, when no instance runs it.
/// </param>
/// <param name="Position">It has handled everything up to here.</param>
/// <param name="Lag">The events of the log behind that, its own and others.</param>
/// <param name="LagSeconds">The age of the first of them.</param>
/// <param name="Holder">The instance that runs it, or null.</param>
/// <param name="Lanes">How many streams it handles side by side.</param>
/// <param name="PausedAt">Since when it is paused (UTC), or null.</param>
/// <param name="FailingPosition">The event that its handler fails at now, or null.</param>
/// <param name="FailedAttempts">How often it has.</param>
/// <param name="Failure">The failure's type and message.</param>
/// <param name="FailingTenantId">The organization of that event.</param>
/// <param name="DeadLetters">The events of the given organization that wait for a decision.</param>
/// <param name="Parked">Those that wait behind them.</param>
public sealed record SubscriptionState(
    string Name,
    IReadOnlyList<string> EventTypes,
    string State,
    long Position,
    long Lag,
    double LagSeconds,
    Guid? Holder,
    int Lanes,
    DateTime? PausedAt,
    long? FailingPosition,
    int FailedAttempts,
    string? Failure,
    Guid? FailingTenantId,
    long DeadLetters,
    long Parked
);

/// <summary>How far subscriptions have come, and whether they shall go on.</summary>
public sealed class SubscriptionStates
{
    private readonly Database _database;
    private readonly SubscriptionCatalog _catalog;

    internal SubscriptionStates(Database database, SubscriptionCatalog catalog)
    {
        _database = database;
        _catalog = catalog;
    }

    /// <summary>Subscriptions by name.</summary>
    /// <param name="tenantId">Whose dead letters are counted; null, for an operator, all.</param>
    /// <param name="after">Only those behind this name, or null.</param>
    /// <param name="limit">The most that are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public Task<IReadOnlyList<SubscriptionState>> ListAsync(
        Guid? tenantId,
        string? after,
        int limit,
        CancellationToken cancellationToken
    ) => ReadAsync(tenantId, name: null, after, limit, cancellationToken);

    /// <summary>One, or null when there is none of this name.</summary>
    /// <param name="tenantId">Whose dead letters are counted; null, for an operator, all.</param>
    /// <param name="name">The subscription.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<SubscriptionState?> FindAsync(Guid? tenantId, string name, CancellationToken cancellationToken) =>
        await ReadAsync(tenantId, name, after: null, 1, cancellationToken) is [var state] ? state : null;

    /// <summary>Lets it rest on all instances, within a second: in the transaction that records who wanted so.</summary>
    public static SqlWrite Pause(string name) =>
        new(
            "update platform.subscriptions set paused_at = coalesce(paused_at, clock_timestamp()) where name = $1",
            name
        );

    /// <summary>Lets it go on where it was: in the transaction that records who wanted so.</summary>
    public static SqlWrite Resume(string name) =>
        new("update platform.subscriptions set paused_at = null where name = $1", name);

    private async Task<IReadOnlyList<SubscriptionState>> ReadAsync(
        Guid? tenantId,
        string? name,
        string? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = _database.Writes.CreateCommand(
            """
            select s.name, s.paused_at, case when s.lease_until > clock_timestamp() then s.holder end, coalesce(s.lanes, 0),
                l.position, l.lag, l.lag_seconds, f.failing_position, coalesce(f.failed_attempts, 0), f.failure, e.tenant_id,
                (select count(*) from platform.dead_letters d where d.subscription = s.name
                    and d.status in ('waiting', 'retrying', 'discarding') and ($1::uuid is null or d.tenant_id = $1)),
                (select count(*) from platform.dead_letters d where d.subscription = s.name
                    and d.status = 'parked' and ($1::uuid is null or d.tenant_id = $1))
            from platform.subscriptions s
            join platform.subscription_lags l on l.name = s.name
            left join lateral (
                select * from platform.subscription_lanes f
                where f.name = s.name and f.failing_position is not null order by f.failing_position limit 1) f on true
            left join platform.events e on e.position = f.failing_position
            where ($2::text is null or s.name = $2) and ($3::text is null or s.name > $3)
            order by s.name limit $4
            """
        );
        command.With(tenantId).With(name).With(after).With(limit);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var states = new List<SubscriptionState>();
        while (await reader.ReadAsync(cancellationToken))
            states.Add(Read(reader));
        return states;
    }

    private SubscriptionState Read(NpgsqlDataReader reader)
    {
        var name = reader.GetString(0);
        var (pausedAt, holder, failing) = (reader.TimeOrNull(1), reader.IdOrNull(2), reader.NumberOrNull(7));
        return new SubscriptionState(
            name,
            _catalog.Find(name)?.EventTypes ?? [],
            pausedAt is not null ? "paused"
                : failing is not null ? "failing"
                : holder is not null ? "running"
                : "idle",
            reader.GetInt64(4),
            reader.GetInt64(5),
            reader.GetDouble(6),
            holder,
            reader.GetInt32(3),
            pausedAt,
            failing,
            reader.GetInt32(8),
            reader.TextOrNull(9),
            reader.IdOrNull(10),
            reader.GetInt64(11),
            reader.GetInt64(12)
        );
    }
}
