using System.Runtime.CompilerServices;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Events;

/// <summary>Reads the log. Positions are dense, so a range of positions is a page of known size.</summary>
internal sealed class LogReader(Database database)
{
    private const int PageSize = 10_000;

    internal const string Columns =
        "position, tenant_id, stream_id, stream_type, version, type, type_version, time, actor, correlation, data, leaf_hash";

    public async IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        Guid tenantId,
        Guid streamId,
        long fromVersion,
        long toVersion,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            $"""
            select {Columns} from platform.events
            where tenant_id = $1 and stream_id = $2 and version between $3 and $4
            order by version
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = streamId });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = fromVersion });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = toVersion });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var names = new Names();
        while (await reader.ReadAsync(cancellationToken))
            yield return Read(reader, names);
    }

    public async IAsyncEnumerable<RecordedEvent> ReadAllAsync(
        long after,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var head = await ReadHeadAsync(cancellationToken);
        var names = new Names();
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        while (after < head)
        {
            var upTo = Math.Min(head, after + PageSize);
            await using var command = new NpgsqlCommand(
                $"select {Columns} from platform.events where position > $1 and position <= $2 order by position",
                connection
            );
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                yield return Read(reader, names);
            after = upTo;
        }
    }

    public IAsyncEnumerable<IReadOnlyList<RecordedEvent>> ReadChosenAsync(
        EventFilter filter,
        long after,
        long upTo,
        CancellationToken cancellationToken
    ) => new ChosenEvents(database).ReadAsync(filter, after, upTo, cancellationToken);

    /// <summary>The first events of some types behind a position.</summary>
    /// <param name="connection">Where to ask.</param>
    /// <param name="types">Stored names.</param>
    /// <param name="after">Only events behind this position,</param>
    /// <param name="upTo">and up to this one.</param>
    /// <param name="limit">The most that are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<List<RecordedEvent>> ReadTypesAsync(
        NpgsqlConnection connection,
        string[] types,
        long after,
        long upTo,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            $"""
            select {Columns} from platform.events
            where position > $1 and position <= $2 and type = any($3)
            order by position limit $4
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = types });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var names = new Names();
        var events = new List<RecordedEvent>();
        while (await reader.ReadAsync(cancellationToken))
            events.Add(Read(reader, names));
        return events;
    }

    /// <summary>The first events of some types behind a position, of the streams of one lane, as they come from the server.</summary>
    /// <param name="connection">Where to ask.</param>
    /// <param name="types">Stored names.</param>
    /// <param name="lane">Which lane, 0 for the first,</param>
    /// <param name="lanes">of so many.</param>
    /// <param name="after">Only events behind this position,</param>
    /// <param name="upTo">and up to this one.</param>
    /// <param name="limit">The most that are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async IAsyncEnumerable<RecordedEvent> ReadLaneAsync(
        NpgsqlConnection connection,
        string[] types,
        int lane,
        int lanes,
        long after,
        long upTo,
        int limit,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            $"""
            select {Columns} from platform.events
            where position > $1 and position <= $2 and type = any($3)
                {(lanes > 1 ? "and platform.lane_of(tenant_id, stream_id, $5) = $6" : "")}
            order by position limit $4
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = types });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        if (lanes > 1)
        {
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = lanes });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = lane });
        }
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var names = new Names();
        while (await reader.ReadAsync(cancellationToken))
            yield return Read(reader, names);
    }

    /// <summary>The event at a position of the log, or null if there is none.</summary>
    public static async Task<RecordedEvent?> ReadAtAsync(
        NpgsqlConnection connection,
        long position,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            $"select {Columns} from platform.events where position = $1",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = position });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader, new Names()) : null;
    }

    public async Task<long> ReadHeadAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        return await ReadHeadAsync(connection, cancellationToken);
    }

    public static async Task<long> ReadHeadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "select coalesce(max(position), 0) from platform.events",
            connection
        );
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    internal static RecordedEvent Read(NpgsqlDataReader reader, Names names) =>
        new()
        {
            Position = reader.GetInt64(0),
            TenantId = reader.GetGuid(1),
            StreamId = reader.GetGuid(2),
            StreamType = names.Intern(reader.GetString(3)),
            Version = reader.GetInt64(4),
            Type = names.Intern(reader.GetString(5)),
            TypeVersion = reader.GetInt16(6),
            Time = new DateTimeOffset(reader.GetDateTime(7), TimeSpan.Zero),
            Actor = names.Intern(reader.GetString(8)),
            Correlation = reader.GetString(9),
            Data = reader.GetFieldValue<byte[]>(10),
            LeafHash = reader.GetFieldValue<byte[]>(11),
        };

    /// <summary>The few names that repeat in every row, kept once.</summary>
    internal sealed class Names
    {
        private const int Limit = 1000;
        private readonly Dictionary<string, string> _seen = new(StringComparer.Ordinal);

        public string Intern(string name)
        {
            if (_seen.TryGetValue(name, out var seen))
                return seen;
            if (_seen.Count < Limit)
                _seen.Add(name, name);
            return name;
        }
    }
}
