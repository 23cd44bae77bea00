using System.Diagnostics;

namespace Verbatim.Tests.Integration.Support;

/// <summary>An <see cref="IChildProgram"/> of this assembly in a process of its own.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    public int Id => _process.Id;

    /// <summary>Starts it, by way of <paramref name="prefix"/>: a command such as setpriv that runs the rest.</summary>
    public static ChildProcess Start<TProgram>(string[] args, params string[] prefix)
        where TProgram : IChildProgram
    {
        string[] line =
        [
            .. prefix,
            Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) is "dotnet" ? host : "dotnet",
            typeof(ChildProcess).Assembly.Location,
            "child",
            typeof(TProgram).Name,
            .. args,
        ];
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        return new ChildProcess(Process.Start(start)!);
    }

    public static Task<int> RunAsync(string name, string[] args)
    {
        var program = typeof(ChildProcess)
            .Assembly.GetTypes()
            .Single(type => string.Equals(type.Name, name, StringComparison.Ordinal));
        return ((IChildProgram)Activator.CreateInstance(program)!).RunAsync(args);
    }

    /// <summary>The next line that it prints; fails when it ends without one.</summary>
    public async Task<string> ReadLineAsync(CancellationToken cancellationToken) =>
        await _process.StandardOutput.ReadLineAsync(cancellationToken)
        ?? throw new InvalidOperationException("The child process ended.");

    /// <summary>kill -9, of this process alone.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        await _process.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Asks it to end, and returns its exit code.</summary>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync(CancellationToken.None);
        _process.Dispose();
    }
}
