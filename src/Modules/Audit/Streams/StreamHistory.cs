using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>What a stream is now.</summary>
/// <param name="StreamType">What it is the history of.</param>
/// <param name="Version">The number of its events.</param>
/// <param name="BeganAt">When its first event was recorded.</param>
internal sealed record StreamHead(string StreamType, long Version, DateTimeOffset BeganAt);

/// <summary>Reads one stream.</summary>
[Singleton]
internal sealed class StreamHistory(Database database, EventStore events)
{
    // Events carry whole bodies of model calls: pages are cut by size as well as by number.
    private const int MaxBytesPerPage = 8 * 1024 * 1024;

    /// <summary>The stream as it is now, or null when this organization has none of this id.</summary>
    public async Task<StreamHead?> FindAsync(Guid tenantId, Guid streamId, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            select f.stream_type, l.version, f.time
            from (select stream_type, time from platform.events
                where tenant_id = $1 and stream_id = $2 and version = 1) f
            cross join lateral (select version from platform.events
                where tenant_id = $1 and stream_id = $2 order by version desc limit 1) l
            """
        );
        AddStream(command, tenantId, streamId);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new StreamHead(
                reader.GetString(0),
                reader.GetInt64(1),
                new DateTimeOffset(reader.GetDateTime(2), TimeSpan.Zero)
            )
            : null;
    }

    /// <summary>The version that the stream had at an instant, 0 when it had not begun.</summary>
    public async Task<long> VersionAtAsync(
        Guid tenantId,
        Guid streamId,
        Instant at,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            """
            select version from platform.events
            where tenant_id = $1 and stream_id = $2 and time <= $3
            order by version desc limit 1
            """
        );
        AddStream(command, tenantId, streamId);
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = at.Floor.UtcDateTime });
        return await command.ExecuteScalarAsync(cancellationToken) as long? ?? 0;
    }

    /// <summary>The last version of a page that ends at <paramref name="toVersion"/> or, when that would be too large, before.</summary>
    public async Task<long> EndOfPageAsync(
        Guid tenantId,
        Guid streamId,
        long fromVersion,
        long toVersion,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            """
            select max(version) from (
                select version, sum(octet_length(data)) over (order by version) as bytes
                from platform.events
                where tenant_id = $1 and stream_id = $2 and version between $3 and $4
            ) e
            where bytes <= $5 or version = $3
            """
        );
        AddStream(command, tenantId, streamId);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = fromVersion });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = toVersion });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = MaxBytesPerPage });
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>A part of the stream in order.</summary>
    public IAsyncEnumerable<RecordedEvent> ReadAsync(
        Guid tenantId,
        Guid streamId,
        long fromVersion,
        long toVersion,
        CancellationToken cancellationToken
    ) => events.ReadStreamAsync(tenantId, streamId, fromVersion, toVersion, cancellationToken);

    private static void AddStream(NpgsqlCommand command, Guid tenantId, Guid streamId)
    {
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = streamId });
    }
}
