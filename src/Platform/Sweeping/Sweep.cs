using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Sweeping;

/// <summary>
/// Rows of a table that say nothing any more once their time is over, and are removed. Declared in the folder of the feature whose table it
/// is; discovered.
/// </summary>
/// <param name="table">The qualified name of the table.</param>
/// <param name="endColumn">
/// The column with the moment at which a row's time is over; a row with null in it stays. An index on it spares reading the table.
/// </param>
/// <example><code>internal sealed class EndedTokens() : Sweep("identity.tokens", "expires_at");</code></example>
public abstract class Sweep(string table, string endColumn)
{
    /// <summary>The qualified name of the table.</summary>
    public string Table => table;

    /// <summary>How long a row stays after its time is over; not at all unless set.</summary>
    protected virtual TimeSpan Keep => TimeSpan.Zero;

    /// <summary>The only rows that are removed, as an SQL condition; all, unless set.</summary>
    protected virtual string Condition => "true";

    /// <summary>Removes some of the rows that are to be removed now. Instances that do so at the same time do not wait for each other.</summary>
    /// <returns>How many; fewer than the limit when there are no more.</returns>
    internal async Task<int> RemoveAsync(Database database, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            $"""
            delete from {table} where ctid = any(array(
                select ctid from {table} where {endColumn} < clock_timestamp() - $1 and ({Condition})
                order by {endColumn} limit $2 for update skip locked))
            """
        );
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = Keep });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
