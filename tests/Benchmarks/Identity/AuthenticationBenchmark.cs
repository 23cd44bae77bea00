using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Verbatim.Tests.Benchmarks.Gateway;

namespace Verbatim.Tests.Benchmarks.Identity;

/// <summary>
/// What authentication costs: the same trivial request without a credential, with an API key, and with an access token. The three take turns in
/// short rounds, and each is compared with the one beside it, since the machine's pace changes from minute to minute.
/// </summary>
internal sealed class AuthenticationBenchmark(int rounds, TimeSpan duration)
{
    private const int Connections = 32;
    private const string Password = "a password for the benchmark";

    public async Task RunAsync(TextWriter output)
    {
        using var folder = new TemporaryFolder();
        await using var verbatim = await VerbatimServer.StartAsync(
            folder.Home,
            Path.Combine(folder.Path, "verbatim.log"),
            upstream: Server.FreePort(),
            settings: new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Identity__AdministratorPassword"] = Password,
            }
        );
        var address = new Uri(verbatim.Address, "health/live");
        Target[] targets =
        [
            new("nobody", address, new Dictionary<string, string>(StringComparer.Ordinal)),
            new("an API key", address, Bearer(verbatim.ApiKey)),
            new("an access token", address, Bearer(await LogInAsync(verbatim.Address))),
        ];
        // A first round that does not count: code is compiled, connections are made, principals are learnt.
        foreach (var target in targets)
            await Wrk.GetAsync(target, Connections, TimeSpan.FromSeconds(3));

        var ratios = targets.ToDictionary(t => t, _ => new List<double>());
        var rates = targets.ToDictionary(t => t, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var target in targets)
                rates[target].Add((await Wrk.GetAsync(target, Connections, duration)).RequestsPerSecond);
            foreach (var target in targets)
                ratios[target].Add(rates[targets[0]][^1] / rates[target][^1] - 1);
        }

        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"GET /health/live over {Connections} connections, medians of {rounds} rounds of {duration.TotalSeconds:0} s"
            )
        );
        await output.WriteLineAsync("\n| as | requests/s | cost of a request |\n|---|--:|--:|");
        foreach (var target in targets)
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {target.Name} | {Statistics.Median(rates[target]):N0} | {Statistics.Median(ratios[target]):+0.0%;-0.0%} |"
                )
            );
    }

    private static Dictionary<string, string> Bearer(string credential) =>
        new(StringComparer.Ordinal) { ["Authorization"] = "Bearer " + credential };

    private static async Task<string> LogInAsync(Uri address)
    {
        using var http = new HttpClient { BaseAddress = address };
        using var answer = await http.PostAsJsonAsync(
            "api/auth/login",
            new { email = "admin@localhost", password = Password }
        );
        answer.EnsureSuccessStatusCode();
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["accessToken"]!.GetValue<string>();
    }
}
