using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Verbatim.Platform.Postgres.Embedded;

/// <summary>Where the private Postgres server of a Verbatim home keeps its data, and how it is started.</summary>
public sealed record EmbeddedPostgresOptions
{
    /// <summary>
    /// The Verbatim home. Data goes to <c>postgres/data</c> and the log to <c>postgres/server.log</c> inside it;
    /// server binaries that had to be installed are in <c>postgres-binaries</c>. Created when missing.
    /// </summary>
    public required string Home { get; init; }

    /// <summary>A folder with <c>postgres</c> and <c>initdb</c>, or null to look in the usual places.</summary>
    public string? Binaries { get; init; }

    /// <summary>Settings of postgresql.conf that are added to, and win over, the built-in ones.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } =
        new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// How long a start may take before it fails. Generous, because a start after a crash first replays the
    /// write-ahead log, up to 2 GB of it.
    /// </summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a shutdown may take until the server is told to quit at once (which loses nothing).</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Receives starts, restarts and failures. Never a connection string or a query.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;
}
