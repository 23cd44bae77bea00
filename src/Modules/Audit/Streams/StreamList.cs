using System.Globalization;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>A page of a listing.</summary>
/// <param name="Streams">Newest match first.</param>
/// <param name="Next">Where the next page begins, or null on the last page.</param>
internal sealed record StreamListPage(IReadOnlyList<StreamSummary> Streams, ListingPoint? Next);

/// <summary>
/// Lists the streams of an organization, each once, at its latest event that matches the filter, newest first. It walks the matching events
/// backwards through an index (<c>0010-stream-lists.sql</c>), so that a page costs what lies between its first and its last row, however large
/// the log is. The log only grows, and a listing does not look beyond the head that it began at: its pages fit together although they are
/// read one by one, and need no transaction.
/// </summary>
[Singleton]
internal sealed class StreamList(Database database, EventStore events)
{
    /// <summary>
    /// Bounds a page that meets nothing but events of streams that are listed already. It then ends early, and says where to go on.
    /// </summary>
    public int MaxEventsPerPage { get; init; } = 20_000;

    /// <summary>The events that the first statement of a page asks for: enough for most pages.</summary>
    public int FirstChunk { get; init; } = 250;

    /// <summary>The events that every further statement asks for.</summary>
    public int LaterChunk { get; init; } = 2_000;

    /// <summary>Reads one page.</summary>
    /// <param name="tenantId">The organization.</param>
    /// <param name="filter">Which streams.</param>
    /// <param name="from">Where to go on, or null for the first page.</param>
    /// <param name="rows">The most streams that are wanted. The page may have fewer, even none, and not be the last.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<StreamListPage> ReadAsync(
        Guid tenantId,
        StreamFilter filter,
        ListingPoint? from,
        int rows,
        CancellationToken cancellationToken
    )
    {
        var start = from ?? await BeginAsync(cancellationToken);
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        var query = new Query(connection, tenantId, filter, start.Head);
        var types = await query.ReadTypesAsync(cancellationToken);

        var found = new List<Match>(rows + 1);
        var seen = new HashSet<Guid>();
        var at = start;
        var walked = 0;
        var isExhausted = types.Length == 0;
        while (!isExhausted && found.Count <= rows && walked < MaxEventsPerPage)
        {
            var size = walked == 0 ? FirstChunk : LaterChunk;
            var chunk = await query.ReadMatchesAsync(types, at, size, cancellationToken);
            isExhausted = chunk.Count < size;
            walked += chunk.Count;
            if (chunk.Count > 0)
                at = at with { BeforePosition = chunk[^1].Position, NotAfter = chunk[^1].Time };

            // Of each stream the first that the walk meets is its latest, unless a page before has listed it.
            var latest = chunk.Where(match => seen.Add(match.StreamId)).ToList();
            var listed = from is null ? [] : await query.FindLaterMatchesAsync(latest, cancellationToken);
            found.AddRange(latest.Where(match => !listed.Contains(match.StreamId)));
        }

        if (found.Count > rows)
        {
            found.RemoveRange(rows, found.Count - rows);
            at = at with { BeforePosition = found[^1].Position, NotAfter = found[^1].Time };
            isExhausted = false;
        }
        return new StreamListPage(await query.DescribeAsync(found, cancellationToken), isExhausted ? null : at);
    }

    private async Task<ListingPoint> BeginAsync(CancellationToken cancellationToken)
    {
        var head = await events.ReadHeadAsync(cancellationToken);
        return new ListingPoint(head, head + 1, DateTimeOffset.MaxValue);
    }

    private sealed record Match(Guid StreamId, long Version, long Position, DateTimeOffset Time);

    /// <summary>The statements of one listing.</summary>
    private sealed class Query(NpgsqlConnection connection, Guid tenantId, StreamFilter filter, long head)
    {
        // Npgsql stores these as Postgres's infinities.
        private readonly DateTime _from = (filter.From ?? DateTimeOffset.MinValue).UtcDateTime;
        private readonly DateTime _before = (filter.Before ?? DateTimeOffset.MaxValue).UtcDateTime;

        /// <summary>
        /// The types of stream to look at. Without a filter for it: those that are there, by one step of the index for each, since
        /// Postgres before version 18 does not skip from one to the next by itself.
        /// </summary>
        public async Task<string[]> ReadTypesAsync(CancellationToken cancellationToken)
        {
            if (filter.Type is { } type)
                return [type];
            var byActor = filter.Actor is null ? "" : "and e.actor = $2";
            await using var command = Command(
                $"""
                with recursive types as (
                    (select e.stream_type from platform.events e
                        where e.tenant_id = $1 {byActor} order by e.stream_type limit 1)
                    union all
                    select (select e.stream_type from platform.events e
                        where e.tenant_id = $1 {byActor} and e.stream_type > t.stream_type order by e.stream_type limit 1)
                    from types t where t.stream_type is not null
                )
                select stream_type from types where stream_type is not null
                """
            );
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
            if (filter.Actor is { } actor)
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = actor });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var types = new List<string>();
            while (await reader.ReadAsync(cancellationToken))
                types.Add(reader.GetString(0));
            return [.. types];
        }

        /// <summary>The latest matching events before a point, latest first.</summary>
        public async Task<List<Match>> ReadMatchesAsync(
            string[] types,
            ListingPoint at,
            int count,
            CancellationToken cancellationToken
        )
        {
            var byActor = filter.Actor is null ? "" : "and e.actor = $7";
            // A part of the text, not a parameter: the planner must know it to prefer the index that has the order.
            var limit = count.ToString(CultureInfo.InvariantCulture);
            await using var command = Command(
                $"""
                select m.stream_id, m.version, m.position, m.time
                from unnest($2::text[]) t(stream_type)
                cross join lateral (
                    select e.stream_id, e.version, e.position, e.time from platform.events e
                    where e.tenant_id = $1 and e.stream_type = t.stream_type {byActor}
                        and e.time >= $3 and e.time < $4 and e.time <= $5 and e.position < $6
                    order by e.time desc, e.position desc
                    limit {limit}
                ) m
                order by m.position desc
                limit {limit}
                """
            );
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = types });
            command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = _from });
            command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = _before });
            command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = at.NotAfter.UtcDateTime });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = at.BeforePosition });
            if (filter.Actor is { } actor)
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = actor });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var matches = new List<Match>();
            while (await reader.ReadAsync(cancellationToken))
                matches.Add(
                    new Match(
                        reader.GetGuid(0),
                        reader.GetInt64(1),
                        reader.GetInt64(2),
                        new DateTimeOffset(reader.GetDateTime(3), TimeSpan.Zero)
                    )
                );
            return matches;
        }

        /// <summary>Which of these streams have a matching event behind the one that is given, up to the head.</summary>
        public async Task<HashSet<Guid>> FindLaterMatchesAsync(
            IReadOnlyCollection<Match> matches,
            CancellationToken cancellationToken
        )
        {
            if (matches.Count == 0)
                return [];
            // Without an actor all events up to a time match, so the next one tells. The limit keeps the planner from reading all events once.
            var later = filter.Actor is null ? "e.version = s.version + 1" : "e.version > s.version and e.actor = $6";
            await using var command = Command(
                $"""
                select s.stream_id from unnest($2::uuid[], $3::bigint[]) s(stream_id, version)
                cross join lateral (
                    select from platform.events e
                    where e.tenant_id = $1 and e.stream_id = s.stream_id and {later}
                        and e.position <= $4 and e.time < $5
                    limit 1
                ) l
                """
            );
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
            command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. matches.Select(m => m.StreamId)] });
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. matches.Select(m => m.Version)] });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = head });
            command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = _before });
            if (filter.Actor is { } actor)
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = actor });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var found = new HashSet<Guid>();
            while (await reader.ReadAsync(cancellationToken))
                found.Add(reader.GetGuid(0));
            return found;
        }

        /// <summary>The streams of these matches as they were at the head, in the same order.</summary>
        public async Task<IReadOnlyList<StreamSummary>> DescribeAsync(
            IReadOnlyCollection<Match> matches,
            CancellationToken cancellationToken
        )
        {
            if (matches.Count == 0)
                return [];
            await using var command = Command(
                """
                select s.stream_id, f.stream_type, l.version, f.time, f.actor, l.time, l.type, l.position, s.position
                from unnest($2::uuid[], $3::bigint[]) s(stream_id, position)
                cross join lateral (
                    select e.stream_type, e.time, e.actor from platform.events e
                    where e.tenant_id = $1 and e.stream_id = s.stream_id and e.version = 1
                    limit 1
                ) f
                cross join lateral (
                    select e.version, e.time, e.type, e.position from platform.events e
                    where e.tenant_id = $1 and e.stream_id = s.stream_id and e.position <= $4
                    order by e.version desc
                    limit 1
                ) l
                order by s.position desc
                """
            );
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
            command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. matches.Select(m => m.StreamId)] });
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. matches.Select(m => m.Position)] });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = head });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var streams = new List<StreamSummary>(matches.Count);
            while (await reader.ReadAsync(cancellationToken))
                streams.Add(
                    new StreamSummary(
                        reader.GetGuid(0),
                        reader.GetString(1),
                        reader.GetInt64(2),
                        reader.GetDateTime(3),
                        reader.GetString(4),
                        reader.GetDateTime(5),
                        reader.GetString(6),
                        reader.GetInt64(7),
                        reader.GetInt64(8)
                    )
                );
            return streams;
        }

        private NpgsqlCommand Command(string sql) => new(sql, connection);
    }
}
