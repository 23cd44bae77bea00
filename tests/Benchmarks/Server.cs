using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Verbatim.Tests.Benchmarks;

/// <summary>A server process of the benchmark: started, waited for, and ended.</summary>
internal sealed class Server : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private Server(Process process) => _process = process;

    /// <summary>From the start of the process until it answered.</summary>
    public TimeSpan StartTime { get; private set; }

    /// <summary>Megabytes of memory that the process holds now.</summary>
    public double ResidentMegabytes => StatusOf("VmRSS:");

    /// <summary>The most that it held since the start, or since <see cref="ForgetPeak"/>.</summary>
    public double PeakResidentMegabytes => StatusOf("VmHWM:");

    /// <summary>From now on the peak is measured (proc(5), clear_refs).</summary>
    public void ForgetPeak() => File.WriteAllText($"/proc/{_process.Id}/clear_refs", "5");

    /// <summary>Starts a server and waits until <paramref name="isReady"/> says so.</summary>
    /// <param name="info">The program; what it prints goes to the benchmark's log file.</param>
    /// <param name="log">Where its output goes.</param>
    /// <param name="isReady">Asked again and again, for a minute at most.</param>
    public static async Task<Server> StartAsync(ProcessStartInfo info, string log, Func<Task<bool>> isReady)
    {
        info.RedirectStandardOutput = true;
        info.RedirectStandardError = true;
        var clock = Stopwatch.StartNew();
        var process = Process.Start(info) ?? throw new InvalidOperationException($"{info.FileName} cannot be started.");
        var writer = TextWriter.Synchronized(new StreamWriter(log) { AutoFlush = true });
        process.OutputDataReceived += (_, e) => writer.WriteLine(e.Data);
        process.ErrorDataReceived += (_, e) => writer.WriteLine(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        var server = new Server(process);
        while (!await isReady())
        {
            if (process.HasExited || clock.Elapsed > StartLimit)
            {
                await server.DisposeAsync();
                throw new InvalidOperationException(
                    $"{info.FileName} did not become ready:\n{await File.ReadAllTextAsync(log)}"
                );
            }
            await Task.Delay(10);
        }
        server.StartTime = clock.Elapsed;
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await Command.RunAsync("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }
        _process.Dispose();
    }

    /// <summary>A port of this machine that nobody listens on now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Whether something accepts connections on a port.</summary>
    public static async Task<bool> AcceptsAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private double StatusOf(string field)
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status")
            .First(l => l.StartsWith(field, StringComparison.Ordinal));
        return double.Parse(line[field.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture) / 1024;
    }
}
