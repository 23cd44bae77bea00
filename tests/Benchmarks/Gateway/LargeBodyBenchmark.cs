using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace Verbatim.Tests.Benchmarks.Gateway;

/// <summary>How much memory large requests take while they are at the provider, and at their highest.</summary>
internal sealed class LargeBodyBenchmark(int megabytes, int together)
{
    private const int WaitMs = 5000;

    public async Task RunAsync(TextWriter output)
    {
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{together} requests of {megabytes} MB at once, in megabytes for each of them:"
            )
        );
        await output.WriteLineAsync();
        await output.WriteLineAsync("| recorded | at the provider | at the highest |");
        await output.WriteLineAsync("|---|---:|---:|");
        foreach (var level in new[] { "metadata", "full" })
            await MeasureAsync(output, level);
    }

    private async Task MeasureAsync(TextWriter output, string level)
    {
        using var folder = new TemporaryFolder();
        var port = Server.FreePort();
        await using var upstream = await Peers.StartUpstreamAsync(folder.Path, port);
        await using var verbatim = await VerbatimServer.StartAsync(
            folder.Home,
            Path.Combine(folder.Path, "verbatim.log"),
            port,
            settings: new Dictionary<string, string>(StringComparer.Ordinal) { ["Gateway__Recording"] = level }
        );
        using var http = new HttpClient { BaseAddress = verbatim.Address, Timeout = TimeSpan.FromMinutes(2) };
        http.DefaultRequestHeaders.Add("Authorization", "Bearer " + verbatim.ApiKey);
        await SendAsync(http, Body(1));
        await Task.Delay(TimeSpan.FromSeconds(2));

        var body = Body(megabytes);
        var before = verbatim.Process.ResidentMegabytes;
        verbatim.Process.ForgetPeak();
        var answers = Enumerable.Range(0, together).Select(_ => SendAsync(http, body)).ToList();
        // The provider has them all and has answered none.
        await Task.Delay(WaitMs * 2 / 3);
        var during = verbatim.Process.ResidentMegabytes;
        await Task.WhenAll(answers);
        var peak = verbatim.Process.PeakResidentMegabytes;
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {level} | {(during - before) / together:0.0} | {(peak - before) / together:0.0} |"
            )
        );
    }

    private static byte[] Body(int megabytes) =>
        Encoding.UTF8.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{{\"model\":\"gpt-fake@delay_ms={WaitMs}\",\"messages\":[{{\"role\":\"user\",\"content\":\"{new string('a', megabytes * 1024 * 1024)}\"}}]}}"
            )
        );

    private static async Task SendAsync(HttpClient http, byte[] body)
    {
        using var content = new ByteArrayContent(body)
        {
            Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
        };
        using var answer = await http.PostAsync("v1/chat/completions", content);
        answer.EnsureSuccessStatusCode();
    }
}
