using System.Diagnostics;

namespace Verbatim.Platform.Postgres.Embedded;

/// <summary>
/// One run of the server, from its start to its end. It ends with Host, however Host ends: its supervisor, a small
/// shell script, holds the read end of a pipe whose other end only Host has, and the kernel closes that one even
/// after kill -9.
/// </summary>
internal sealed class ServerProcess : IDisposable
{
    // Standard error goes to Host until the log is open. The script ignores the terminal's signals only after the
    // server has started, so that the server does not inherit that. Without setsid (macOS), job control gives the
    // server a process group of its own, which Ctrl+C does not reach either.
    private const string Supervisor = """
        exec 3<&0 </dev/null >>"$1" 2>&1
        command -v setsid >/dev/null || set -m
        shift
        "$@" 3<&- &
        server=$!
        trap '' HUP INT TERM
        { read -r _; kill -INT "$server"; } <&3 3<&- &
        watcher=$!
        exec 3<&-
        wait "$server"
        status=$?
        kill -KILL "$watcher" 2>/dev/null
        exit "$status"
        """;

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan QuitTimeout = TimeSpan.FromSeconds(10);

    private readonly Cluster _cluster;
    private readonly Process _process;
    private readonly Task<string> _supervisorError;
    private readonly string? _previous;
    private readonly long _logStart;

    private ServerProcess(Cluster cluster)
    {
        _cluster = cluster;
        _previous = Postmaster.Read(cluster.DataFolder)?.Identity;
        _logStart = new FileInfo(cluster.LogFile).Length;
        var start = cluster.User.RunDetached(
            "/bin/sh",
            "-c",
            Supervisor,
            "verbatim-postgres",
            cluster.LogFile,
            cluster.Binaries.Postgres,
            "-D",
            cluster.DataFolder,
            "-c",
            $"config_file={cluster.ConfigFile}"
        );
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        _process = Command.Start(start);
        _supervisorError = _process.StandardError.ReadToEndAsync(CancellationToken.None);
        Ended = _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>Completes when the server has ended. It does not fail.</summary>
    public Task Ended { get; }

    public int ExitCode => _process.ExitCode;

    /// <summary>The server's own process id, once it is ready.</summary>
    public int ProcessId { get; private set; }

    /// <summary>Starts the server; <see cref="Cluster.PrepareStartAsync"/> has been called.</summary>
    public static ServerProcess Start(Cluster cluster) => new(cluster);

    /// <summary>Waits until it accepts connections; returns false when it ended instead.</summary>
    public async Task<bool> WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        while (!Ended.IsCompleted)
        {
            // A file that an earlier run left may say "ready" as well.
            if (
                Postmaster.Read(_cluster.DataFolder) is { IsReady: true } current
                && !string.Equals(current.Identity, _previous, StringComparison.Ordinal)
            )
            {
                ProcessId = current.ProcessId;
                return true;
            }
            await Task.WhenAny(Ended, Task.Delay(PollInterval, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
        return false;
    }

    /// <summary>
    /// Shuts it down: connections are closed, everything is written. After <paramref name="timeout"/> it is told to
    /// quit at once; the next start then replays its log. Returns false if it runs even so.
    /// </summary>
    public async Task<bool> StopAsync(TimeSpan timeout)
    {
        _process.StandardInput.Close();
        if (await EndedWithinAsync(timeout))
            return true;
        Postmaster.Read(_cluster.DataFolder)?.Signal("QUIT");
        return await EndedWithinAsync(QuitTimeout);
    }

    /// <summary>What the server said in its log and the supervisor before it, for a message; the server has ended.</summary>
    public async Task<string> ReadFailureAsync(CancellationToken cancellationToken)
    {
        using var log = new FileStream(_cluster.LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Seek(Math.Min(_logStart, log.Length), SeekOrigin.Begin);
        using var reader = new StreamReader(log);
        var lines = (await reader.ReadToEndAsync(cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        // A line begins with time and process, "2026-01-31 12:00:00.000 UTC [4711] ".
        var said = lines.TakeLast(4).Select(line => line[(line.IndexOf(']', StringComparison.Ordinal) + 1)..].Trim());
        return string.Join(" / ", said.Prepend((await _supervisorError).Trim()).Where(line => line.Length > 0));
    }

    public void Dispose() => _process.Dispose();

    private async Task<bool> EndedWithinAsync(TimeSpan timeout)
    {
        await Task.WhenAny(Ended, Task.Delay(timeout));
        return Ended.IsCompleted;
    }
}
