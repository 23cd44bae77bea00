using System.Diagnostics;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway;

/// <summary>The official JavaScript SDK from npm, in Node, as it is.</summary>
public sealed class OpenAiNodeTests(GatewayHost gateway) : IClassFixture<GatewayHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_completes_streams_calls_tools_sees_errors_and_leaves()
    {
        var seen = await RunAsync();

        Assert.Contains("You said: \"Hello!\"", seen["whole"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(seen["whole"]!.GetValue<string>(), seen["stream"]!.GetValue<string>());
        Assert.Equal(seen["wholeUsage"]!.GetValue<int>(), seen["streamUsage"]!.GetValue<int>());
        Assert.Equal("get_weather", seen["tool"]!.GetValue<string>());
        Assert.Equal(404, seen["error"]!["status"]!.GetValue<int>());
        Assert.Equal("NotFoundError", seen["error"]!["name"]!.GetValue<string>());
        var outcome = await gateway.OutcomeOfAsync(Guid.Parse(seen["leftId"]!.GetValue<string>()), Cancellation);
        Assert.Equal("gateway.inference-cancelled", outcome.Type);
    }

    private async Task<JsonNode> RunAsync()
    {
        var folder = Path.Combine(Repository.Root, "tests", "Integration", "Clients");
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(folder, "node_modules", "openai")),
            "npm's openai is not installed: ./test installs it, or 'npm ci' in tests/Integration/Clients."
        );
        using var node = Process.Start(
            new ProcessStartInfo("node", ["openai.mjs", new Uri(gateway.Host.Address, "v1").ToString(), gateway.ApiKey])
            {
                WorkingDirectory = folder,
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var errors = node.StandardError.ReadToEndAsync(Cancellation);
        var output = await node.StandardOutput.ReadToEndAsync(Cancellation);
        await node.WaitForExitAsync(Cancellation);
        Assert.True(node.ExitCode == 0, await errors);
        return JsonNode.Parse(output)!;
    }
}
