using System.Diagnostics;
using System.Globalization;

namespace Verbatim.Platform.Postgres.Embedded;

/// <summary>
/// What a running server says of itself in the data folder's <c>postmaster.pid</c>. Its lines (Postgres's
/// miscadmin.h, LOCK_FILE_LINE_*): 1 process id, 2 data folder, 3 start time, 4 port, 5 socket folder, 6 listen
/// address, 7 shared memory key, 8 status. They appear one after the other while it starts.
/// </summary>
internal sealed record Postmaster(int ProcessId, string SocketFolder, bool IsReady, string Identity)
{
    private const string FileName = "postmaster.pid";

    /// <summary>The server that runs on the data, or ran and was killed; null when none did.</summary>
    public static Postmaster? Read(string dataFolder)
    {
        if (ReadLines(Path.Combine(dataFolder, FileName)) is not [var first, _, _, ..] lines)
            return null;
        if (!int.TryParse(first, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var processId))
            return null;
        return new Postmaster(
            Math.Abs(processId), // negative in single-user mode
            lines.Length > 4 ? lines[4] : "",
            lines.Length > 7 && lines[7].Trim() is "ready",
            Identify(lines)
        );
    }

    /// <summary>
    /// Whether it still runs. The process id alone proves nothing: after a crash another program may have it, and in
    /// a restarted container usually does.
    /// </summary>
    public bool IsRunning(string dataFolder)
    {
        // A server works in its data folder, so a process is this server when it sees this very file there.
        if (OperatingSystem.IsLinux())
            return ReadLines($"/proc/{ProcessId}/cwd/{FileName}") is [_, _, _, ..] lines
                && string.Equals(Identify(lines), Identity, StringComparison.Ordinal);
        var arguments = Shell("""exec ps -p "$1" -o command=""").Split(' ');
        return arguments.Contains(dataFolder) && arguments[0].EndsWith("postgres", StringComparison.Ordinal);
    }

    /// <summary>Sends it a signal: INT closes its connections and shuts down, QUIT ends it at once (safely).</summary>
    public void Signal(string name) => Shell($"""kill -s {name} "$1" """);

    /// <summary>
    /// Removes the file where it would stop the next start: Postgres refuses to start while any process has the
    /// process id in it. Other leftovers it clears itself, with checks of its own, so those are left to it.
    /// </summary>
    public void RemoveIfMisleading(string dataFolder)
    {
        if (!IsRunning(dataFolder) && Shell("""kill -0 "$1" && echo yes""") is "yes")
            File.Delete(Path.Combine(dataFolder, FileName));
    }

    private string Shell(string script)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", script, "sh", $"{ProcessId}"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Command.Start(start);
        return process.StandardOutput.ReadToEnd().Trim();
    }

    private static string Identify(string[] lines) => string.Join('\n', lines[..3]);

    private static string[]? ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
