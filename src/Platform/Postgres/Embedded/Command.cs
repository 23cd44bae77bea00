using System.ComponentModel;
using System.Diagnostics;

namespace Verbatim.Platform.Postgres.Embedded;

/// <summary>Runs a program to its end.</summary>
/// <param name="ExitCode">0 when it succeeded.</param>
/// <param name="Output">What it wrote to standard output, trimmed.</param>
/// <param name="Error">What it wrote to standard error, trimmed.</param>
internal sealed record Command(int ExitCode, string Output, string Error)
{
    /// <summary>Runs it with <paramref name="input"/> on its standard input; cancelling kills it.</summary>
    /// <exception cref="EmbeddedPostgresException">The program could not be executed.</exception>
    public static async Task<Command> RunAsync(
        ProcessStartInfo start,
        CancellationToken cancellationToken,
        string input = ""
    )
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Start(start);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            try
            {
                await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended without reading; its exit code says why.
            }
            await process.WaitForExitAsync(cancellationToken);
            return new Command(process.ExitCode, (await output).Trim(), (await error).Trim());
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Runs it, and throws with what it said when it does not succeed.</summary>
    /// <exception cref="EmbeddedPostgresException">It could not be executed or did not exit with 0.</exception>
    public static async Task<string> RunOrThrowAsync(
        ProcessStartInfo start,
        string failure,
        CancellationToken cancellationToken,
        string input = ""
    )
    {
        var result = await RunAsync(start, cancellationToken, input);
        if (result.ExitCode == 0)
            return result.Output;
        throw new EmbeddedPostgresException(
            $"{failure}: {(result.Error.Length > 0 ? result.Error : $"exit code {result.ExitCode}")}"
        );
    }

    /// <summary>Starts it; the caller owns the process.</summary>
    /// <exception cref="EmbeddedPostgresException">The program could not be executed.</exception>
    public static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new EmbeddedPostgresException($"{start.FileName} could not be run: {e.Message}", e);
        }
    }

    /// <summary>The full path of a program on PATH, or null.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin")
            .Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);
}
