using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Commands;

public sealed class HelpTests
{
    [Theory]
    [InlineData("help", 0, "Usage: ./run [--urls ", "  rebuild-projection <name>\n")]
    [InlineData("--help", 0, "Usage: ./run [--urls ", "  rebuild-projection <name>\n")]
    [InlineData("rebuild --help", 0, "Usage: ./run rebuild [--check]\nFolds all documents anew", "")]
    [InlineData("rebuild --check -h", 0, "Usage: ./run rebuild [--check]\nFolds all documents anew", "")]
    [InlineData("rebiuld", 2, "There is no command 'rebiuld'.\nUsage: ./run ", "  rebuild [--check]\n")]
    [InlineData("rebiuld --help", 2, "There is no command 'rebiuld'.\nUsage: ./run ", "  rebuild [--check]\n")]
    public async Task Help_needs_nothing_to_be_started(string command, int exitCode, string begins, string contains)
    {
        using var home = new TemporaryHome();

        var answer = await HostProcess.RunAsync(home.Path, command, TestContext.Current.CancellationToken);

        Assert.Equal(exitCode, answer.ExitCode);
        Assert.StartsWith(begins, answer.Output, StringComparison.Ordinal);
        Assert.Contains(contains, answer.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(home.Path));
    }
}
