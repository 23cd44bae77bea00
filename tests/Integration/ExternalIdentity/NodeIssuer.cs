using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.ExternalIdentity;

/// <summary>npm's oidc-provider in a process of its own, which ends with this object.</summary>
public sealed class NodeIssuer : IAsyncDisposable
{
    public const string ClientId = "verbatim";
    public const string ClientSecret = "a secret of the test's provider";

    private readonly Process _process;

    private NodeIssuer(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    public Uri Address { get; }

    public string Issuer => Address.GetLeftPart(UriPartial.Authority);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts it, or skips the test where the package is not installed.</summary>
    public static async Task<NodeIssuer> StartAsync(string redirectUri)
    {
        var folder = Path.Combine(Repository.Root, "tests", "Integration", "Clients");
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(folder, "node_modules", "oidc-provider")),
            "npm's oidc-provider is not installed: ./test installs it, or 'npm ci' in tests/Integration/Clients."
        );
        var process = Process.Start(
            new ProcessStartInfo("node", ["issuer.mjs", ClientId, ClientSecret, redirectUri])
            {
                WorkingDirectory = folder,
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            }
        )!;
        string? line;
        do line = await process.StandardOutput.ReadLineAsync(Cancellation);
        while (line?.StartsWith("http://", StringComparison.Ordinal) is false);
        Assert.NotNull(line);
        return new NodeIssuer(process, new Uri(line));
    }

    /// <summary>Chooses who logs in next and how the answer is spoilt; gives how often the keys were fetched.</summary>
    public async Task<int> ControlAsync(object? account = null, string mode = "", string? rotate = null)
    {
        using var client = new HttpClient { BaseAddress = Address };
        using var answer = await client.PostAsJsonAsync(
            "/control",
            new
            {
                account,
                mode,
                rotate,
            },
            Cancellation
        );
        return (await answer.Content.ReadFromJsonAsync<JsonObject>(Cancellation))!["fetches"]!.GetValue<int>();
    }

    /// <summary>An access token with these claims, signed by the provider's key.</summary>
    public async Task<string> MintAsync(object claims)
    {
        using var client = new HttpClient { BaseAddress = Address };
        using var answer = await client.PostAsJsonAsync("/control", new { mint = claims }, Cancellation);
        return (await answer.Content.ReadFromJsonAsync<JsonObject>(Cancellation))!["minted"]!.GetValue<string>();
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }
}
