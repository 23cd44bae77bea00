using System.Data.Common;
using Npgsql;

namespace Verbatim.Platform.Postgres;

/// <summary>The ways to Postgres.</summary>
public sealed class Database : IAsyncDisposable
{
    // Enough for every request thread of a small machine; a setting in the connection string wins.
    private const int DefaultPoolSize = 40;

    private const int LookupPoolSize = 5;

    private readonly List<NpgsqlDataSource> _sources = [];

    /// <summary>Reads a connection string; nothing is connected yet.</summary>
    /// <param name="connectionString">As Npgsql reads it; several hosts are allowed, of which the primary is used.</param>
    /// <param name="isPrivate">The server belongs to this host alone: no other instance can be on it.</param>
    /// <exception cref="ArgumentException">The connection string is malformed.</exception>
    public Database(string connectionString, bool isPrivate = false)
    {
        var completed = Complete(connectionString);
        ConnectionString = completed.ConnectionString;
        IsPrivate = isPrivate;
        Writes = Create(completed);
        Lookups = Create(new NpgsqlConnectionStringBuilder(ConnectionString) { MaxPoolSize = LookupPoolSize });
        completed.Pooling = false;
        // So that the log's writer can tell whose statement failed.
        completed.IncludeFailedBatchedCommand = true;
        Dedicated = Create(completed);
    }

    /// <summary>The pool of connections to the primary, for everything that decides or writes.</summary>
    public NpgsqlDataSource Writes { get; }

    /// <summary>
    /// A small pool beside it, for short reads by whoever may hold a connection of <see cref="Writes"/> already: were they to wait for a
    /// second one of the same pool, all could wait for each other.
    /// </summary>
    public NpgsqlDataSource Lookups { get; }

    /// <summary>
    /// Connections to the primary outside the pool: for what keeps one for long, must not wait for a free one, or takes a lock that must end
    /// with its connection.
    /// </summary>
    public NpgsqlDataSource Dedicated { get; }

    /// <summary>The connection string, completed with the project's defaults.</summary>
    public string ConnectionString { get; }

    /// <summary>The server belongs to this host alone: no other instance can be on it.</summary>
    public bool IsPrivate { get; }

    /// <summary>Connections that nobody uses now are made anew when they are needed: the server may have restarted.</summary>
    public void ForgetIdle()
    {
        foreach (var source in _sources)
            source.Clear();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var source in _sources)
            await source.DisposeAsync();
    }

    private NpgsqlDataSource Create(NpgsqlConnectionStringBuilder settings)
    {
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        if (settings.Host?.Contains(',', StringComparison.Ordinal) is not true)
        {
            var single = builder.Build();
            _sources.Add(single);
            return single;
        }
        // The one among the hosts that takes writes, also after a fail-over.
        var several = builder.BuildMultiHost();
        _sources.Add(several);
        return several.WithTargetSession(TargetSessionAttributes.Primary);
    }

    private static NpgsqlConnectionStringBuilder Complete(string connectionString)
    {
        // Npgsql's own builder answers with its defaults, so it cannot tell whether a setting was given.
        var given = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var completed = new NpgsqlConnectionStringBuilder(connectionString);
        completed.ApplicationName ??= "verbatim";
        if (!given.ContainsKey("Maximum Pool Size"))
            completed.MaxPoolSize = DefaultPoolSize;
        if (!given.ContainsKey("Max Auto Prepare"))
            completed.MaxAutoPrepare = 50;
        // The log is read in long runs of small rows: a larger buffer makes fewer, larger reads of it (benchmark "replay").
        if (!given.ContainsKey("Read Buffer Size"))
            completed.ReadBufferSize = 64 * 1024;
        if (!given.ContainsKey("Timeout"))
            completed.Timeout = 5;
        return completed;
    }
}
