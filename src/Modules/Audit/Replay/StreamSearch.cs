using Npgsql;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Audit.Replay;

/// <summary>A stream that was found.</summary>
/// <param name="TenantId">The organization that it belongs to.</param>
/// <param name="StreamId">The stream.</param>
/// <param name="StreamType">What it is the history of.</param>
/// <param name="BeganAt">When its first event was recorded.</param>
/// <param name="BeganBy">Who caused its first event.</param>
internal sealed record FoundStream(
    Guid TenantId,
    Guid StreamId,
    string StreamType,
    DateTimeOffset BeganAt,
    string BeganBy
);

/// <summary>Finds streams of any organization by the beginning of their id. For whoever runs the server, not for its callers.</summary>
[Singleton]
internal sealed class StreamSearch(Database database)
{
    /// <summary>The streams whose id begins so, in the order of their ids.</summary>
    public async Task<IReadOnlyList<FoundStream>> FindAsync(
        StreamPrefix prefix,
        int atMost,
        CancellationToken cancellationToken
    )
    {
        // Ids are indexed behind their tenant: one step of the index for each tenant, then one range in it.
        await using var command = database.Writes.CreateCommand(
            """
            with recursive tenants as (
                (select tenant_id from platform.events order by tenant_id limit 1)
                union all
                select (select e.tenant_id from platform.events e
                    where e.tenant_id > t.tenant_id order by e.tenant_id limit 1)
                from tenants t where t.tenant_id is not null
            )
            select t.tenant_id, s.stream_id, s.stream_type, s.time, s.actor
            from tenants t
            cross join lateral (
                select e.stream_id, e.stream_type, e.time, e.actor from platform.events e
                where e.tenant_id = t.tenant_id and e.stream_id between $1 and $2 and e.version = 1
                order by e.stream_id
                limit $3
            ) s
            where t.tenant_id is not null
            order by s.stream_id, t.tenant_id
            limit $3
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = prefix.First });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = prefix.Last });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = atMost });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<FoundStream>();
        while (await reader.ReadAsync(cancellationToken))
            found.Add(
                new FoundStream(
                    reader.GetGuid(0),
                    reader.GetGuid(1),
                    reader.GetString(2),
                    new DateTimeOffset(reader.GetDateTime(3), TimeSpan.Zero),
                    reader.GetString(4)
                )
            );
        return found;
    }
}
