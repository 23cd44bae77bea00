using Verbatim.Tests.Integration.Support;
using Xunit.Runner.InProc.SystemConsole;

namespace Verbatim.Tests.Integration;

/// <summary>
/// Runs the tests, or with <c>child NAME …</c> a program that a test starts as a process of its own, to kill it.
/// </summary>
internal static class Program
{
    public static Task<int> Main(string[] args) =>
        args is ["child", var name, .. var rest] ? ChildProcess.RunAsync(name, rest) : ConsoleRunner.Run(args);
}
