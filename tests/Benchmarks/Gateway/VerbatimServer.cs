using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Verbatim.Tests.Benchmarks.Gateway;

/// <summary>Verbatim as a user runs it: its own process, a private Postgres, an API key, durable records.</summary>
internal sealed partial class VerbatimServer(Server server, Uri address, string apiKey) : IAsyncDisposable
{
    public Server Process { get; } = server;

    public Uri Address { get; } = address;

    public string ApiKey { get; } = apiKey;

    /// <summary>Starts it in a home folder; the first start there makes the database and the key.</summary>
    public static async Task<VerbatimServer> StartAsync(
        string home,
        string log,
        int upstream,
        string? apiKey = null,
        IReadOnlyDictionary<string, string>? settings = null
    )
    {
        var address = new Uri($"http://127.0.0.1:{Server.FreePort()}/");
        var info = new ProcessStartInfo(
            "dotnet",
            [Repository.Build("src/Host", "Verbatim.Host.dll"), "--urls", address.ToString()]
        )
        {
            Environment =
            {
                ["VERBATIM_HOME"] = home,
                ["Gateway__Deployments__fake__BaseUrl"] = $"http://127.0.0.1:{upstream}/v1",
                ["Gateway__Deployments__fake__Model"] = "gpt-*",
                ["Gateway__Deployments__claude__Kind"] = "anthropic",
                ["Gateway__Deployments__claude__BaseUrl"] = $"http://127.0.0.1:{upstream}/v1",
                ["Gateway__Deployments__claude__ApiKey"] = "sk-ant-test",
                ["Gateway__Deployments__claude__Model"] = "claude-*",
            },
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, string>(StringComparer.Ordinal))
            info.Environment[name] = value;
        using var http = new HttpClient { BaseAddress = address };
        var server = await Server.StartAsync(info, log, () => IsReadyAsync(http));
        return new VerbatimServer(
            server,
            address,
            apiKey ?? PrintedKey().Match(await File.ReadAllTextAsync(log)).Value
        );
    }

    /// <summary>A route of it as a target, with the key.</summary>
    public Target Target(string name, string path) =>
        new(
            name,
            new Uri(Address, path),
            new Dictionary<string, string>(StringComparer.Ordinal) { ["Authorization"] = "Bearer " + ApiKey }
        );

    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private static async Task<bool> IsReadyAsync(HttpClient http)
    {
        try
        {
            using var answer = await http.GetAsync("health/ready");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    [GeneratedRegex("vk_[A-Za-z0-9]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex PrintedKey();
}
