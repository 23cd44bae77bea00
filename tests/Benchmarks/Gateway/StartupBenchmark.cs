using System.Globalization;
using System.Net.Http.Json;

namespace Verbatim.Tests.Benchmarks.Gateway;

/// <summary>How long a start takes, until <c>/health/ready</c> answers: on an empty folder (initdb included), and again.</summary>
internal sealed class StartupBenchmark(int rounds)
{
    public async Task RunAsync(TextWriter output)
    {
        var cold = new List<double>();
        var warm = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            using var folder = new TemporaryFolder();
            await using (var first = await StartAsync(folder))
                cold.Add(first.Process.StartTime.TotalSeconds);
            await using var second = await StartAsync(folder);
            warm.Add(second.Process.StartTime.TotalSeconds);
        }
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Start until ready, median of {rounds}: {Statistics.Median(cold):0.00} s cold, {Statistics.Median(warm):0.00} s warm."
            )
        );
    }

    private static Task<VerbatimServer> StartAsync(TemporaryFolder folder) =>
        VerbatimServer.StartAsync(folder.Home, Path.Combine(folder.Path, "verbatim.log"), upstream: 9);
}

/// <summary>Whether memory stays flat: resident megabytes after each part of many requests.</summary>
internal sealed class MemoryBenchmark(int requests)
{
    private const int Parts = 10;
    private const int Parallel = 64;

    public async Task RunAsync(TextWriter output)
    {
        using var folder = new TemporaryFolder();
        var port = Server.FreePort();
        await using var upstream = await Peers.StartUpstreamAsync(folder.Path, port);
        await using var verbatim = await VerbatimServer.StartAsync(
            folder.Home,
            Path.Combine(folder.Path, "verbatim.log"),
            port
        );
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"Memory idle: {verbatim.Process.ResidentMegabytes:N0} MB")
        );

        using var http = new HttpClient { BaseAddress = verbatim.Address };
        http.DefaultRequestHeaders.Add("Authorization", "Bearer " + verbatim.ApiKey);
        for (var part = 1; part <= Parts; part++)
        {
            await System.Threading.Tasks.Parallel.ForAsync(
                0,
                requests / Parts,
                new ParallelOptions { MaxDegreeOfParallelism = Parallel },
                async (_, cancellationToken) =>
                {
                    using var answer = await http.PostAsJsonAsync(
                        "v1/chat/completions",
                        new { model = "gpt-fake", messages = new[] { new { role = "user", content = "Hello!" } } },
                        cancellationToken
                    );
                    answer.EnsureSuccessStatusCode();
                }
            );
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"after {requests / Parts * part, 9:N0} requests: {verbatim.Process.ResidentMegabytes:N0} MB"
                )
            );
        }
    }
}
