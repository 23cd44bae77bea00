using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Verbatim.Tests.Integration.Support;

/// <summary>A script beside npm's packages in <c>Clients</c>, run in Node.</summary>
internal static class NodeClient
{
    /// <summary>Runs it to its end and gives the JSON object that it prints; skips the test where the package is not installed.</summary>
    public static async Task<JsonNode> RunAsync(string script, string package, params IReadOnlyList<string> arguments)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var folder = Path.Combine(Repository.Root, "tests", "Integration", "Clients");
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(folder, "node_modules", package)),
            $"npm's {package} is not installed: ./test installs it, or 'npm ci' in tests/Integration/Clients."
        );
        using var node = Process.Start(
            new ProcessStartInfo("node", [script, .. arguments])
            {
                WorkingDirectory = folder,
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var errors = node.StandardError.ReadToEndAsync(cancellation);
        var output = await node.StandardOutput.ReadToEndAsync(cancellation);
        await node.WaitForExitAsync(cancellation);
        Assert.True(node.ExitCode == 0, await errors);
        return JsonNode.Parse(output)!;
    }
}
