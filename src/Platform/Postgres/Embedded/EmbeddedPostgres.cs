using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Verbatim.Platform.Postgres.Embedded;

/// <summary>
/// A private Postgres server in a Verbatim home: for a first look without Docker, for small installations, and for the
/// tests. It listens on a Unix socket only, knows its callers by their user (peer authentication), starts again when
/// it dies, and ends with the process that started it, even when that is killed.
/// </summary>
public sealed partial class EmbeddedPostgres : IAsyncDisposable
{
    private static readonly TimeSpan LogCheckInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestRetryDelay = TimeSpan.FromSeconds(5);

    private readonly EmbeddedPostgresOptions _options;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly HomeLock? _lock;
    private readonly Cluster? _cluster;
    private readonly Task _watching = Task.CompletedTask;
    private ServerProcess? _server;
    private int _disposed;

    private EmbeddedPostgres(EmbeddedPostgresOptions options, string socketFolder)
    {
        _options = options;
        _logger = options.Logger;
        ConnectionString = ConnectionStringFor(socketFolder, "verbatim");
        AdministratorConnectionString = ConnectionStringFor(socketFolder, "postgres");
    }

    private EmbeddedPostgres(EmbeddedPostgresOptions options, HomeLock homeLock, Cluster cluster, ServerProcess server)
        : this(options, cluster.SocketFolder)
    {
        _lock = homeLock;
        _cluster = cluster;
        _server = server;
        _watching = WatchAsync(_stopping.Token);
    }

    /// <summary>Connects to the database <c>verbatim</c> as the role that owns it and may create others.</summary>
    public string ConnectionString { get; }

    /// <summary>Connects to the database <c>verbatim</c> as the superuser <c>postgres</c>.</summary>
    public string AdministratorConnectionString { get; }

    /// <summary>Whether this instance started the server and ends it; false when it was found running.</summary>
    public bool IsOwner => _cluster is not null;

    /// <summary>The server's process id; 0 when this instance does not own it.</summary>
    public int ProcessId => _server?.ProcessId ?? 0;

    /// <summary>Raised after the server has died and has been started again. Open connections are lost then.</summary>
    public event EventHandler? Restarted;

    /// <summary>
    /// Starts the server; the first start creates its data. Dispose the result after the last connection is closed.
    /// </summary>
    /// <exception cref="EmbeddedPostgresInUseException">Another process runs a server on this home.</exception>
    /// <exception cref="EmbeddedPostgresException">It cannot be started; the message says why and what to do.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(
        EmbeddedPostgresOptions options,
        CancellationToken cancellationToken = default
    )
    {
        options = WithFullPath(options);
        return await TryStartAsync(options, cancellationToken)
            ?? throw new EmbeddedPostgresInUseException(
                options.Home,
                HomeLock.Holder(Cluster.LockFileOf(options.Home))
            );
    }

    /// <summary>
    /// Connects to the server when another process runs one on this home, and otherwise starts it: for commands that
    /// are used beside a running Host as well as without one.
    /// </summary>
    /// <exception cref="EmbeddedPostgresInUseException">
    /// Another process holds this home, and its server did not become ready within <c>StartTimeout</c>.
    /// </exception>
    /// <exception cref="EmbeddedPostgresException">It cannot be started; the message says why and what to do.</exception>
    public static async Task<EmbeddedPostgres> ConnectOrStartAsync(
        EmbeddedPostgresOptions options,
        CancellationToken cancellationToken = default
    )
    {
        options = WithFullPath(options);
        var data = Cluster.DataFolderOf(options.Home);
        var clock = Stopwatch.StartNew();
        while (true)
        {
            // Either may be under way in the other process: a start, a restart, or a shutdown that frees the lock.
            if (await TryStartAsync(options, cancellationToken) is { } started)
                return started;
            if (Postmaster.Read(data) is { IsReady: true } running && running.IsRunning(data))
                return new EmbeddedPostgres(options, running.SocketFolder);
            if (clock.Elapsed > options.StartTimeout)
                throw new EmbeddedPostgresInUseException(
                    options.Home,
                    HomeLock.Holder(Cluster.LockFileOf(options.Home))
                );
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }
    }

    /// <summary>
    /// Stops the server if this instance owns it, and waits until it has ended: at most <c>StopTimeout</c> and a few
    /// seconds.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopping.CancelAsync();
        await _watching;
        if (_server is null || await StopAsync(_server))
            _cluster?.RemoveSocketFolder();
        _lock?.Dispose();
        _stopping.Dispose();
    }

    private static EmbeddedPostgresOptions WithFullPath(EmbeddedPostgresOptions options)
    {
        if (OperatingSystem.IsWindows())
            throw new EmbeddedPostgresException(
                "There is no private Postgres server on Windows: set ConnectionStrings:Postgres to a server."
            );
        return options with { Home = Path.GetFullPath(options.Home) };
    }

    private static string ConnectionStringFor(string socketFolder, string role) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = socketFolder,
            Port = 5432,
            Database = "verbatim",
            Username = role,
            // A Unix socket needs no encryption; asking for it would cost a round trip each.
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;

    /// <summary>Returns null when another process has the home.</summary>
    private static async Task<EmbeddedPostgres?> TryStartAsync(
        EmbeddedPostgresOptions options,
        CancellationToken cancellationToken
    )
    {
        Cluster.CreateFolders(options.Home);
        if (TakeLock(options.Home) is not { } homeLock)
            return null;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.StartTimeout);
        try
        {
            var clock = Stopwatch.StartNew();
            await StopLeftoverAsync(options, timeout.Token);
            var cluster = await Cluster.PrepareAsync(options, timeout.Token);
            var server = await LaunchAsync(cluster, options, isRestart: false, timeout.Token);
            LogStarted(options.Logger, cluster.Binaries.Version, cluster.DataFolder, clock.ElapsedMilliseconds);
            return new EmbeddedPostgres(options, homeLock, cluster, server);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            homeLock.Dispose();
            throw new EmbeddedPostgresException(
                $"The private Postgres server in {options.Home} was not ready within {options.StartTimeout}. "
                    + "Its log is postgres/server.log there.",
                e
            );
        }
        catch
        {
            homeLock.Dispose();
            throw;
        }
    }

    private static HomeLock? TakeLock(string home)
    {
        try
        {
            return HomeLock.TryTake(Cluster.LockFileOf(home));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Cluster.Unwritable(home, e);
        }
    }

    /// <summary>
    /// Stops a server whose Host was killed. Its supervisor is about to; but the supervisor may have been killed too.
    /// </summary>
    private static async Task StopLeftoverAsync(EmbeddedPostgresOptions options, CancellationToken cancellationToken)
    {
        var data = Cluster.DataFolderOf(options.Home);
        if (Postmaster.Read(data) is not { } leftover || !leftover.IsRunning(data))
            return;
        LogStoppingLeftover(options.Logger, leftover.ProcessId);
        leftover.Signal("INT");
        var clock = Stopwatch.StartNew();
        for (var told = false; leftover.IsRunning(data); )
        {
            if (!told && clock.Elapsed > options.StopTimeout)
            {
                leftover.Signal("QUIT");
                told = true;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
        }
    }

    private static async Task<ServerProcess> LaunchAsync(
        Cluster cluster,
        EmbeddedPostgresOptions options,
        bool isRestart,
        CancellationToken cancellationToken
    )
    {
        var delay = TimeSpan.FromMilliseconds(50);
        while (true)
        {
            string failure;
            try
            {
                await StopLeftoverAsync(options, cancellationToken);
                await cluster.PrepareStartAsync(cancellationToken);
                var server = ServerProcess.Start(cluster);
                if (await IsReadyAsync(server, options, cancellationToken))
                    return server;
                failure = await server.ReadFailureAsync(cancellationToken);
                server.Dispose();
            }
            catch (Exception e)
                when (isRestart && e is IOException or UnauthorizedAccessException or EmbeddedPostgresException)
            {
                failure = e.Message;
            }

            // After kill -9 of the server its connections' processes live on for a moment, and hold its memory.
            var willPass = failure.Contains("pre-existing shared memory block", StringComparison.Ordinal);
            if (!isRestart && !willPass)
                throw new EmbeddedPostgresException(
                    $"The private Postgres server in {options.Home} did not start: {failure} "
                        + "(its log is postgres/server.log there)"
                );
            LogRetrying(options.Logger, failure, delay.TotalMilliseconds);
            await Task.Delay(delay, cancellationToken);
            delay = delay * 2 < LongestRetryDelay ? delay * 2 : LongestRetryDelay;
        }
    }

    private static async Task<bool> IsReadyAsync(
        ServerProcess server,
        EmbeddedPostgresOptions options,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await server.WaitUntilReadyAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await server.StopAsync(options.StopTimeout);
            server.Dispose();
            throw;
        }
    }

    /// <summary>Starts the server again whenever it dies, as often as it takes: without it Host can do nothing.</summary>
    private async Task WatchAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await Task.WhenAny(_server!.Ended, Task.Delay(LogCheckInterval, stopping));
                stopping.ThrowIfCancellationRequested();
                if (!_server.Ended.IsCompleted)
                {
                    BoundLog();
                    continue;
                }
                LogDied(_logger, _server.ProcessId, _server.ExitCode);
                _server.Dispose();
                _server = null;
                var clock = Stopwatch.StartNew();
                _server = await LaunchAsync(_cluster!, _options, isRestart: true, stopping);
                LogRestarted(_logger, clock.ElapsedMilliseconds);
                Restarted?.Invoke(this, EventArgs.Empty);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested) { }
    }

    private void BoundLog()
    {
        try
        {
            _cluster!.BoundLog();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotBounded(_logger, e);
        }
    }

    private async Task<bool> StopAsync(ServerProcess server)
    {
        var clock = Stopwatch.StartNew();
        var stopped = await server.StopAsync(_options.StopTimeout);
        if (stopped)
            LogStopped(_logger, clock.ElapsedMilliseconds);
        else
            LogStillRunning(_logger, server.ProcessId);
        server.Dispose();
        return stopped;
    }

    [LoggerMessage(LogLevel.Information, "Private Postgres {Version} is ready after {Elapsed} ms, data in {Folder}")]
    private static partial void LogStarted(ILogger logger, string version, string folder, long elapsed);

    [LoggerMessage(LogLevel.Information, "Private Postgres stopped after {Elapsed} ms")]
    private static partial void LogStopped(ILogger logger, long elapsed);

    [LoggerMessage(LogLevel.Warning, "Stopping Postgres process {ProcessId}, left by a Verbatim that was killed")]
    private static partial void LogStoppingLeftover(ILogger logger, int processId);

    [LoggerMessage(
        LogLevel.Error,
        "Private Postgres (process {ProcessId}) died with exit code {ExitCode}: restarting it"
    )]
    private static partial void LogDied(ILogger logger, int processId, int exitCode);

    [LoggerMessage(LogLevel.Warning, "Private Postgres did not start ({Failure}): trying again in {Delay} ms")]
    private static partial void LogRetrying(ILogger logger, string failure, double delay);

    [LoggerMessage(LogLevel.Warning, "Private Postgres is ready again after {Elapsed} ms")]
    private static partial void LogRestarted(ILogger logger, long elapsed);

    [LoggerMessage(LogLevel.Warning, "The log of the private Postgres could not be shortened")]
    private static partial void LogNotBounded(ILogger logger, Exception e);

    [LoggerMessage(LogLevel.Error, "Private Postgres (process {ProcessId}) did not stop")]
    private static partial void LogStillRunning(ILogger logger, int processId);
}
