using Npgsql;

namespace Verbatim.Platform.Secrets;

/// <summary>
/// A column of a table whose values are sealed under the master key. Every such column has one, so that a new master key reaches all of
/// them. Discovered.
/// </summary>
public abstract class SealedColumn
{
    private const int BatchSize = 1000;

    /// <summary>The qualified name of the table.</summary>
    public abstract string Table { get; }

    /// <summary>The columns of its primary key, or of another key.</summary>
    public abstract IReadOnlyList<string> Key { get; }

    /// <summary>The column; a null in it is passed over.</summary>
    public abstract string Column { get; }

    /// <summary>What the value of a row is sealed for.</summary>
    /// <param name="key">The values of <see cref="Key"/>.</param>
    public abstract string PurposeOf(IReadOnlyList<object> key);

    /// <summary>Seals every value anew that another key than the current one has sealed.</summary>
    /// <returns>How many.</returns>
    internal async Task<long> ResealAsync(
        NpgsqlConnection connection,
        MasterKey masterKey,
        CancellationToken cancellationToken
    )
    {
        long count = 0;
        object[]? after = null;
        while (true)
        {
            var rows = await ReadAsync(connection, masterKey.CurrentId, after, cancellationToken);
            if (rows.Count == 0)
                return count;
            await using var batch = new NpgsqlBatch(connection);
            foreach (var (key, value) in rows)
                batch.BatchCommands.Add(Replace(key, value, masterKey.Reseal(value, PurposeOf(key))));
            count += await batch.ExecuteNonQueryAsync(cancellationToken);
            after = rows[^1].Key;
        }
    }

    private async Task<List<(object[] Key, byte[] Value)>> ReadAsync(
        NpgsqlConnection connection,
        ReadOnlyMemory<byte> currentId,
        object[]? after,
        CancellationToken cancellationToken
    )
    {
        var key = string.Join(", ", Key);
        var behind = after is null ? "" : $"and ({key}) > ({string.Join(", ", Key.Select((_, i) => $"${i + 2}"))})";
        await using var command = new NpgsqlCommand(
            $"""
            select {Column}, {key} from {Table}
            where {Column} is not null and substr({Column}, 1, {MasterKey.IdSize}) <> $1 {behind}
            order by {key} limit {BatchSize}
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = currentId.ToArray() });
        foreach (var value in after ?? [])
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<(object[], byte[])>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(([.. Enumerable.Range(1, Key.Count).Select(reader.GetValue)], reader.GetFieldValue<byte[]>(0)));
        return rows;
    }

    // Only if it is still the same: whoever changed it since has sealed it under the current key.
    private NpgsqlBatchCommand Replace(object[] key, byte[] before, byte[] after)
    {
        var conditions = Key.Select((column, i) => $"{column} = ${i + 3}");
        var command = new NpgsqlBatchCommand(
            $"update {Table} set {Column} = $1 where {Column} = $2 and {string.Join(" and ", conditions)}"
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = before });
        foreach (var value in key)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
