using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Verbatim.Tests.Integration.Support;

/// <summary>Host as a user runs it: a process of its own with its private Postgres. It can be killed.</summary>
internal sealed partial class HostProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Uri _address;
    private readonly StringBuilder _output;

    private HostProcess(Process process, Uri address, StringBuilder output)
    {
        _process = process;
        _address = address;
        _output = output;
    }

    /// <summary>All that it has written so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>The key that it makes, and prints, at the first start; null at another.</summary>
    public string? PrintedKey => KeyPattern().Match(Output) is { Success: true } key ? key.Value : null;

    /// <summary>Starts it, and waits until it is ready.</summary>
    /// <param name="home">Its <c>VERBATIM_HOME</c>.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <param name="settings">Further settings, as arguments.</param>
    public static async Task<HostProcess> StartAsync(
        string home,
        CancellationToken cancellationToken,
        params IReadOnlyList<string> settings
    )
    {
        var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort()}/"));
        var process = Process.Start(InfoOf(home, ["--urls", address.ToString(), .. settings]))!;
        var output = new StringBuilder();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var open = 2;
        void Keep(string? line)
        {
            lock (output)
                output.AppendLine(line);
            // Why it ended stands in the one, and the other may be read to its end before.
            if (line is null && Interlocked.Decrement(ref open) == 0)
                ready.TrySetException(new InvalidOperationException($"Host ended:\n{output}"));
            else if (line?.StartsWith("Verbatim is ready", StringComparison.Ordinal) is true)
                ready.TrySetResult();
        }
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await ready.Task.WaitAsync(cancellationToken);
        return new HostProcess(process, address, output);
    }

    /// <summary>Runs one of the commands of <c>./run</c> beside it.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string home,
        string command,
        CancellationToken cancellationToken
    )
    {
        using var process = Process.Start(InfoOf(home, command.Split(' ')))!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>A client with this credential, or with none.</summary>
    public HttpClient Client(string? key = null)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = _address };
        if (key is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>SIGKILL: nothing of it is run any more.</summary>
    public void Kill() => _process.Kill();

    // In order, unless it was killed: its Postgres must have ended before their folder is removed.
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var stop = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            await stop.WaitForExitAsync(CancellationToken.None);
        }
        await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        _process.Dispose();
    }

    private static ProcessStartInfo InfoOf(string home, IReadOnlyList<string> arguments) =>
        new("dotnet", [Path.Combine(AppContext.BaseDirectory, "Verbatim.Host.dll"), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["VERBATIM_HOME"] = home, ["OPENAI_API_KEY"] = "" },
        };

    [GeneratedRegex("vk_[A-Za-z0-9]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex KeyPattern();

    private static int FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
