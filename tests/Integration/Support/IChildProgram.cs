namespace Verbatim.Tests.Integration.Support;

/// <summary>
/// What a <see cref="ChildProcess"/> runs. Its standard input ends when the test wants it to end, and also when the
/// test has died.
/// </summary>
internal interface IChildProgram
{
    Task<int> RunAsync(string[] args);
}
