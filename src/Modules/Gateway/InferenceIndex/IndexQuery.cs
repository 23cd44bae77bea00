using System.Globalization;
using System.Text;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>
/// The statements of one listing. The one filter that narrows most is looked up in its index, newest call first; the others, and who may see
/// what, are checked on the rows that it finds, of which a statement walks over a bounded number: so no filter makes a page slow.
/// </summary>
internal sealed class IndexQuery
{
    /// <summary>Of the row, in the order of <see cref="InferenceSummary.Read"/>.</summary>
    public const string Columns =
        "id, version, started_at, ended_at, user_id, api_key_id, project_id, status, wire, model, deployment, provider, stream, recording, client_request_id, attempts, input_tokens, output_tokens, total_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens, is_estimated, cost, first_byte_ms, total_ms, error_code, error_status";

    // Between the id, which has the time at which the call came, and its first event lie moments; clocks may differ.
    private static readonly TimeSpan IdTolerance = TimeSpan.FromHours(1);

    private readonly Database _database;
    private readonly List<NpgsqlParameter> _parameters = [];
    private readonly StringBuilder _seek = new();
    private readonly StringBuilder _check = new();
    private readonly string _walk;

    /// <param name="database">Where to read. Each statement gives its connection back: bodies that are opened between two need others.</param>
    /// <param name="access">What the caller reaches.</param>
    /// <param name="filter">What is wanted.</param>
    /// <param name="words">The bits that the words of the filter's text have; null without one.</param>
    /// <param name="walk">Over how many rows a statement walks.</param>
    public IndexQuery(Database database, Access access, InferenceFilter filter, WordSignature? words, int walk)
    {
        _database = database;
        // Parts of the text: the planner must know them to prefer the index that has the order.
        _walk = walk.ToString(CultureInfo.InvariantCulture);
        _seek.Append("tenant_id = ").Append(Parameter(access.TenantId)).Append(" and id < $2");
        _parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Guid.AllBitsSet });

        // The narrowest comes first. Who reaches what is their own walks over nothing else: where a walk ends is told in a cursor.
        (string Column, object? Value)[] sought =
        [
            ("user_id", access.OwnerId),
            ("client_request_id", filter.ClientRequestId),
            ("api_key_id", filter.ApiKeyId),
            ("project_id", filter.ProjectId),
            ("user_id", filter.UserId),
            ("model", filter.Model),
        ];
        var isSought = false;
        foreach (var (column, value) in sought)
        {
            if (value is null)
                continue;
            Equal(isSought ? _check : _seek, column, value);
            isSought = true;
        }
        AddTimes(filter);
        AddRest(filter);
        if (words is { IsEmpty: false })
        {
            var bits = WordSignature.SqlOf(Parameter(words.Bytes));
            _check.Append(CultureInfo.InvariantCulture, $" and words & {bits} = {bits}");
        }
    }

    /// <summary>No call that began at this instant or later has a smaller id.</summary>
    public static Guid FirstIdBefore(DateTimeOffset time) => FirstIdAt(time - IdTolerance);

    /// <summary>Every call that began before this instant has a smaller id.</summary>
    public static Guid FirstIdAfter(DateTimeOffset time) => FirstIdAt(time + IdTolerance);

    /// <summary>The newest calls before one.</summary>
    /// <param name="before">The id before which they lie.</param>
    /// <param name="count">The most that are wanted.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<List<InferenceSummary>> ReadAsync(Guid before, int count, CancellationToken cancellationToken)
    {
        await using var command = Command(
            $"""
            select {Columns} from (
                select {Columns}, words from {InferenceIndexProjection.View} where {_seek} order by id desc limit {_walk}
            ) walked
            where true{_check} order by id desc limit {count.ToString(CultureInfo.InvariantCulture)}
            """,
            before
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<InferenceSummary>();
        while (await reader.ReadAsync(cancellationToken))
            found.Add(InferenceSummary.Read(reader));
        return found;
    }

    /// <summary>The last row that a statement walks over from there; null when it comes to the end.</summary>
    public async Task<Guid?> ReadWalkedToAsync(Guid before, CancellationToken cancellationToken)
    {
        await using var command = Command(
            $"select id from {InferenceIndexProjection.View} where {_seek} order by id desc offset {_walk} - 1 limit 1",
            before
        );
        return (Guid?)await command.ExecuteScalarAsync(cancellationToken);
    }

    private void AddTimes(InferenceFilter filter)
    {
        if (filter.From is { } from)
        {
            Compare(_seek, "id", ">=", FirstIdBefore(from));
            Compare(_check, "started_at", ">=", from.UtcDateTime);
        }
        if (filter.Before is { } to)
        {
            Compare(_seek, "id", "<", FirstIdAfter(to));
            Compare(_check, "started_at", "<", to.UtcDateTime);
        }
    }

    private void AddRest(InferenceFilter filter)
    {
        (string Column, string Comparison, object? Value)[] checkedFor =
        [
            ("deployment", "=", filter.Deployment),
            ("provider", "=", filter.Provider),
            ("status", "=", filter.Status),
            ("wire", "=", filter.Wire),
            ("stream", "=", filter.Stream),
            ("cost", ">=", filter.MinCost),
            ("cost", "<=", filter.MaxCost),
            ("total_ms", ">=", filter.MinLatencyMs),
            ("error_code", "=", filter.Error),
        ];
        foreach (var (column, comparison, value) in checkedFor)
        {
            if (value is not null)
                Compare(_check, column, comparison, value);
        }
    }

    // UUIDv7 begins with milliseconds since 1970 in 48 bits (RFC 9562 §5.7).
    private static Guid FirstIdAt(DateTimeOffset time)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        var milliseconds = Math.Clamp(time.ToUnixTimeMilliseconds(), 0, (1L << 48) - 1);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, milliseconds << 16);
        return new Guid(bytes, bigEndian: true);
    }

    private void Equal(StringBuilder where, string column, object value) => Compare(where, column, "=", value);

    private void Compare(StringBuilder where, string column, string comparison, object value) =>
        where
            .Append(" and ")
            .Append(column)
            .Append(' ')
            .Append(comparison)
            .Append(' ')
            .Append(value is string text ? Parameter(StorableText.Of(text)) : Parameter(value));

    private string Parameter(object value)
    {
        _parameters.Add(new NpgsqlParameter { Value = value });
        return string.Create(CultureInfo.InvariantCulture, $"${_parameters.Count}");
    }

    private NpgsqlCommand Command(string sql, Guid before)
    {
        var command = _database.Writes.CreateCommand(sql);
        foreach (var parameter in _parameters)
            command.Parameters.Add(parameter.Clone());
        command.Parameters[1].Value = before;
        return command;
    }
}
