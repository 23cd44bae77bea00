using System.Data.Common;
using Npgsql;

namespace Verbatim.Platform.Postgres;

/// <summary>The pools of connections to Postgres.</summary>
/// <param name="connectionString">As Npgsql reads it; several hosts are allowed.</param>
/// <param name="isPrivate">The server belongs to this host alone: no other instance can be on it.</param>
public sealed class Database(string connectionString, bool isPrivate = false) : IAsyncDisposable
{
    // Enough for every request thread of a small machine; a setting in the connection string wins.
    private const int DefaultPoolSize = 40;

    /// <summary>Connections to the primary, for everything that decides or writes.</summary>
    public NpgsqlDataSource Writes { get; } = NpgsqlDataSource.Create(Complete(connectionString));

    /// <summary>The connection string, completed with the project's defaults.</summary>
    public string ConnectionString { get; } = Complete(connectionString);

    /// <summary>The server belongs to this host alone: no other instance can be on it.</summary>
    public bool IsPrivate { get; } = isPrivate;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Writes.DisposeAsync();

    private static string Complete(string connectionString)
    {
        // Npgsql's own builder answers with its defaults, so it cannot tell whether a setting was given.
        var given = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var completed = new NpgsqlConnectionStringBuilder(connectionString);
        completed.ApplicationName ??= "verbatim";
        if (!given.ContainsKey("Maximum Pool Size"))
            completed.MaxPoolSize = DefaultPoolSize;
        if (!given.ContainsKey("Max Auto Prepare"))
            completed.MaxAutoPrepare = 50;
        if (!given.ContainsKey("Timeout"))
            completed.Timeout = 5;
        return completed.ConnectionString;
    }
}
