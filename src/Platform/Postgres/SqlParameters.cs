using Npgsql;

namespace Verbatim.Platform.Postgres;

/// <summary>Positional parameters in a row: <c>command.With(tenantId).With(position)</c>.</summary>
internal static class SqlParameters
{
    public static NpgsqlCommand With<T>(this NpgsqlCommand command, T value)
    {
        command.Parameters.Add(Of(value));
        return command;
    }

    public static NpgsqlBatchCommand With<T>(this NpgsqlBatchCommand command, T value)
    {
        command.Parameters.Add(Of(value));
        return command;
    }

    /// <summary>Adds a command to a batch.</summary>
    public static NpgsqlBatchCommand Add(this NpgsqlBatch batch, string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        batch.BatchCommands.Add(command);
        return command;
    }

    private static NpgsqlParameter Of<T>(T value) =>
        value is null ? new NpgsqlParameter { Value = DBNull.Value }
        : Nullable.GetUnderlyingType(typeof(T)) is null ? new NpgsqlParameter<T> { TypedValue = value }
        : new NpgsqlParameter { Value = value };
}

/// <summary>Columns that may be null.</summary>
internal static class NullableColumns
{
    public static string? TextOrNull(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);

    public static DateTime? TimeOrNull(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetDateTime(column);

    public static long? NumberOrNull(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetInt64(column);

    public static Guid? IdOrNull(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetGuid(column);
}
