using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Postgres.Embedded;

namespace Verbatim.Platform.Postgres;

/// <summary>
/// The Postgres of this process: the one that <c>ConnectionStrings:Postgres</c> names or, when that is empty, a private one under
/// <c>VERBATIM_HOME</c>, which starts and stops with the process.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly EmbeddedPostgres? _embedded;

    private PostgresServer(Database database, EmbeddedPostgres? embedded)
    {
        Database = database;
        _embedded = embedded;
    }

    /// <summary>The pools of connections to it.</summary>
    public Database Database { get; }

    /// <summary>Finds or starts the server.</summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="mayShare">
    /// True for a command, which may use the private server of a host that runs: then it is not this process's own.
    /// </param>
    /// <param name="logger">Hears of starts and restarts.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <exception cref="SettingException">The connection string is malformed.</exception>
    /// <exception cref="EmbeddedPostgresException">The private server cannot be started; the message says why.</exception>
    public static async Task<PostgresServer> OpenAsync(
        IConfiguration configuration,
        bool mayShare,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (configuration.GetConnectionString("Postgres") is { Length: > 0 } given)
        {
            try
            {
                return new PostgresServer(new Database(given), embedded: null);
            }
            catch (ArgumentException e)
            {
                throw new SettingException(
                    $"ConnectionStrings:Postgres cannot be read ({e.Message}); valid is, for instance, 'Host=db;Database=verbatim;Username=verbatim;Password=…'.",
                    e
                );
            }
        }

        var options = new EmbeddedPostgresOptions { Home = VerbatimHome.From(configuration).Path, Logger = logger };
        var embedded = mayShare
            ? await EmbeddedPostgres.ConnectOrStartAsync(options, cancellationToken)
            : await EmbeddedPostgres.StartAsync(options, cancellationToken);
        return new PostgresServer(new Database(embedded.ConnectionString, embedded.IsOwner), embedded);
    }

    /// <summary>Closes the connections, then stops the server if it is private.</summary>
    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        if (_embedded is not null)
            await _embedded.DisposeAsync();
    }
}
