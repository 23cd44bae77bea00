namespace Verbatim.Platform.Modules;

/// <summary>A command of the executable, <c>./run name …</c>, discovered like an endpoint. It runs instead of the web host. Declared with <see cref="CommandAttribute"/>.</summary>
public interface ICommand
{
    /// <summary>Runs it.</summary>
    /// <param name="arguments">What followed the name.</param>
    /// <param name="output">Where its result goes.</param>
    /// <param name="cancellationToken">Set at Ctrl+C.</param>
    /// <returns>The exit code: 0 done, 1 it said no, 2 wrong usage.</returns>
    /// <exception cref="CommandUsageException">The arguments are wrong.</exception>
    Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, CancellationToken cancellationToken);
}

/// <summary>A command was called with arguments that it does not take. The message says which, and what is valid.</summary>
public sealed class CommandUsageException(string message) : Exception(message);
