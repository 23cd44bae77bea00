using System.Globalization;
using System.Runtime.CompilerServices;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Events;

/// <summary>Reads chosen events in the order of the log, a page at a time: between two pages no connection is kept, however slow the reader is.</summary>
internal sealed class ChosenEvents(Database database)
{
    private const int PageRows = 500;

    // Events carry whole bodies of model calls: a page is cut behind the event that fills it.
    private const int PageBytes = 4 * 1024 * 1024;

    /// <summary>Pages of at least one event each.</summary>
    /// <param name="filter">Which events.</param>
    /// <param name="after">Only events behind this position,</param>
    /// <param name="upTo">and up to this one.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ArgumentException">A stream is given without its organization.</exception>
    public async IAsyncEnumerable<IReadOnlyList<RecordedEvent>> ReadAsync(
        EventFilter filter,
        long after,
        long upTo,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        if (filter is { StreamId: not null, TenantId: null })
            throw new ArgumentException("A stream is chosen within its organization.", nameof(filter));
        var point = await BeginAsync(filter, after, cancellationToken);
        var names = new LogReader.Names();
        while (true)
        {
            var page = await ReadPageAsync(filter, point, upTo, names, cancellationToken);
            if (page.Count > 0)
                yield return page;
            if (page.Count < PageRows && page.Sum(e => (long)e.Data.Length) < PageBytes)
                yield break;
            point = point with { Position = page[^1].Position, Time = page[^1].Time, Version = page[^1].Version };
        }
    }

    private async Task<Point> BeginAsync(EventFilter filter, long after, CancellationToken cancellationToken)
    {
        var point = new Point(after, DateTimeOffset.MinValue, Version: 0, StreamTypes: []);
        if (filter.TenantId is not { } tenantId)
            return point;
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        if (filter.StreamId is { } streamId)
        {
            await using var version = new NpgsqlCommand(
                """
                select coalesce(max(version), 0) from platform.events
                where tenant_id = $1 and stream_id = $2 and position <= $3
                """,
                connection
            );
            version.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
            version.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = streamId });
            version.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
            return point with { Version = (long)(await version.ExecuteScalarAsync(cancellationToken))! };
        }
        // Times never fall from one position to the next, so what follows a position is at its time or later.
        await using (var time = new NpgsqlCommand("select time from platform.events where position = $1", connection))
        {
            time.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
            if (await time.ExecuteScalarAsync(cancellationToken) is DateTime at)
                point = point with { Time = new DateTimeOffset(at, TimeSpan.Zero) };
        }
        return point with
        {
            StreamTypes = filter.StreamType is { } type
                ? [type]
                : await ReadStreamTypesAsync(connection, tenantId, cancellationToken),
        };
    }

    // One step of the index for each: Postgres before version 18 does not skip from one to the next by itself.
    private static async Task<string[]> ReadStreamTypesAsync(
        NpgsqlConnection connection,
        Guid tenantId,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            with recursive types as (
                (select e.stream_type from platform.events e where e.tenant_id = $1 order by e.stream_type limit 1)
                union all
                select (select e.stream_type from platform.events e
                    where e.tenant_id = $1 and e.stream_type > t.stream_type order by e.stream_type limit 1)
                from types t where t.stream_type is not null
            )
            select stream_type from types where stream_type is not null
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var types = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
            types.Add(reader.GetString(0));
        return [.. types];
    }

    private async Task<List<RecordedEvent>> ReadPageAsync(
        EventFilter filter,
        Point point,
        long upTo,
        LogReader.Names names,
        CancellationToken cancellationToken
    )
    {
        var from = filter.From is { } given && given > point.Time ? given : point.Time;
        var before = filter.Before ?? DateTimeOffset.MaxValue;
        // A part of the text, not parameters: the planner must know them to prefer the index that has the order.
        var limit = PageRows.ToString(CultureInfo.InvariantCulture);
        var byType = filter.Types.Count > 0 ? "and e.type = any($5)" : "and $5::text[] is null";
        var byStreamType = filter.StreamType is null ? "and $6::text is null" : "and e.stream_type = $6";
        // What all three have in common; npgsql knows the types of $1 to $6 from their values.
        var common = $"e.position > $1 and e.position <= $2 and e.time >= $3 and e.time < $4 {byType}";
        var chosen = filter switch
        {
            { StreamId: not null } => $"""
                select e.* from platform.events e
                where {common} {byStreamType} and e.tenant_id = $7 and e.stream_id = $8 and e.version > $9
                order by e.version limit {limit}
                """,
            { TenantId: not null } => $"""
                select m.* from unnest($8::text[]) t(stream_type)
                cross join lateral (
                    select e.* from platform.events e
                    where {common} {byStreamType} and e.tenant_id = $7 and e.stream_type = t.stream_type
                    order by e.time, e.position limit {limit}
                ) m
                order by m.position limit {limit}
                """,
            _ => $"""
                select e.* from platform.events e where {common} {byStreamType} order by e.position limit {limit}
                """,
        };
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            $"""
            select {LogReader.Columns} from (
                select c.*, sum(octet_length(c.data)) over (order by c.position) - octet_length(c.data) as bytes_before
                from ({chosen}) c
            ) p
            where bytes_before < {PageBytes.ToString(CultureInfo.InvariantCulture)}
            order by position
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = point.Position });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = from.UtcDateTime });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = before.UtcDateTime });
        command.Parameters.Add(
            new NpgsqlParameter<string[]?> { TypedValue = filter.Types.Count > 0 ? [.. filter.Types] : null }
        );
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = filter.StreamType });
        if (filter.TenantId is { } tenantId)
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        if (filter.StreamId is { } streamId)
        {
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = streamId });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = point.Version });
        }
        else if (filter.TenantId is not null)
        {
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = point.StreamTypes });
        }
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var page = new List<RecordedEvent>();
        while (await reader.ReadAsync(cancellationToken))
            page.Add(LogReader.Read(reader, names));
        return page;
    }

    /// <summary>How far the reading has come.</summary>
    /// <param name="Position">Of the last event.</param>
    /// <param name="Time">Of the last event.</param>
    /// <param name="Version">Of the last event, where one stream is read.</param>
    /// <param name="StreamTypes">What one organization's streams are of.</param>
    private sealed record Point(long Position, DateTimeOffset Time, long Version, string[] StreamTypes);
}
