using Npgsql;
using Verbatim.Platform.Postgres.Embedded;
using Verbatim.Tests.Integration.Support;

[assembly: AssemblyFixture(typeof(SharedPostgres))]

namespace Verbatim.Tests.Integration.Support;

/// <summary>
/// One real server for all tests: take it as a constructor parameter. Tests keep apart by fresh ids, or by a database
/// of their own.
/// </summary>
public sealed class SharedPostgres : IAsyncLifetime
{
    private readonly TemporaryHome _home = new();
    private EmbeddedPostgres? _server;
    private int _databases;

    /// <summary>The shared database.</summary>
    public string ConnectionString => Server.ConnectionString;

    /// <summary>The server, to kill it or to look at it as its administrator.</summary>
    internal EmbeddedPostgres Server => _server ?? throw new InvalidOperationException("The server is not running.");

    public async ValueTask InitializeAsync() =>
        _server = await EmbeddedPostgres.StartAsync(
            new EmbeddedPostgresOptions
            {
                Home = _home.Path,
                Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["max_connections"] = "400" },
            },
            TestContext.Current.CancellationToken
        );

    /// <summary>Creates an empty database and returns its connection string.</summary>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var create = source.CreateCommand($"CREATE DATABASE {name}");
        await create.ExecuteNonQueryAsync(cancellationToken);
        return new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name }.ConnectionString;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        _home.Dispose();
    }
}
