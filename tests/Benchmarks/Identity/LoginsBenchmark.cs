using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Verbatim.Tests.Benchmarks.Gateway;

namespace Verbatim.Tests.Benchmarks.Identity;

/// <summary>
/// What logins cost everybody else: a trivial request with and without twenty logins a second beside it. They take turns in short rounds, and
/// each is compared with the one before it.
/// </summary>
internal sealed class LoginsBenchmark(int rounds, TimeSpan duration)
{
    private const int Connections = 32;
    private const int LoginsPerSecond = 20;
    private const int Accounts = 40;
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
                ["Http__RateLimits__Logins"] = "100000",
            }
        );
        using var http = new HttpClient { BaseAddress = verbatim.Address };
        var people = await CreateAccountsAsync(http, verbatim.ApiKey);
        var live = new Target(
            "live",
            new Uri(verbatim.Address, "health/live"),
            new Dictionary<string, string>(StringComparer.Ordinal)
        );
        await Wrk.GetAsync(live, Connections, TimeSpan.FromSeconds(3));

        var (alone, beside, kept) = (new List<double>(), new List<double>(), new List<double>());
        var (succeeded, refused, asked) = (0, 0, 0);
        for (var round = 0; round < rounds; round++)
        {
            alone.Add((await Wrk.GetAsync(live, Connections, duration)).RequestsPerSecond);
            using var end = new CancellationTokenSource();
            var logins = LogInAsync(http, people, end.Token);
            beside.Add((await Wrk.GetAsync(live, Connections, duration)).RequestsPerSecond);
            await end.CancelAsync();
            var counts = await logins;
            (succeeded, refused, asked) = (
                succeeded + counts.Succeeded,
                refused + counts.Refused,
                asked + counts.Asked
            );
            kept.Add(beside[^1] / alone[^1]);
        }

        var seconds = rounds * duration.TotalSeconds;
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                GET /health/live over {Connections} connections, medians of {rounds} rounds of {duration.TotalSeconds:0} s, {Environment.ProcessorCount} cores

                | logins asked for | requests/s | kept | logins that succeeded | refused as busy |
                |---|--:|--:|--:|--:|
                | none | {Statistics.Median(alone):N0} | | | |
                | {asked / seconds:0.0}/s | {Statistics.Median(beside):N0} | {Statistics.Median(kept):0%} | {succeeded
                    / seconds:0.0}/s | {refused / seconds:0.0}/s |
                """
            )
        );
    }

    // Each at its own moment, whether or not the one before it is answered; what is under way at the end is waited for.
    private static async Task<(int Succeeded, int Refused, int Asked)> LogInAsync(
        HttpClient http,
        List<(string Email, string Password)> people,
        CancellationToken cancellationToken
    )
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / LoginsPerSecond));
        var logins = new List<Task<HttpStatusCode>>();
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
                logins.Add(OneAsync(people[logins.Count % people.Count]));
        }
        catch (OperationCanceledException) { }
        var soFar = logins.Where(l => l.IsCompletedSuccessfully).Select(l => l.Result).ToList();
        await Task.WhenAll(logins);
        return (
            soFar.Count(s => s == HttpStatusCode.OK),
            soFar.Count(s => s == HttpStatusCode.ServiceUnavailable),
            logins.Count
        );

        async Task<HttpStatusCode> OneAsync((string Email, string Password) person)
        {
            using var answer = await http.PostAsJsonAsync(
                "api/auth/login",
                new { email = person.Email, password = person.Password },
                CancellationToken.None
            );
            return answer.StatusCode;
        }
    }

    private static async Task<List<(string Email, string Password)>> CreateAccountsAsync(HttpClient http, string apiKey)
    {
        var people = new List<(string, string)>();
        for (var i = 0; i < Accounts; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "api/users");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
            request.Content = JsonContent.Create(new { email = $"person-{i}@example.org", role = "user" });
            using var answer = await http.SendAsync(request);
            answer.EnsureSuccessStatusCode();
            var created = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            people.Add(($"person-{i}@example.org", created["oneTimePassword"]!.GetValue<string>()));
        }
        return people;
    }
}
