using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace Verbatim.Tests.Benchmarks.Gateway;

/// <summary>
/// From the request to the first byte of a stream, over one connection, one stream at a time. The targets take turns every so many requests, so that
/// whatever disturbs the machine disturbs them alike; the first of a turn, which wake what slept during the others', do not count.
/// </summary>
internal sealed class FirstByteBenchmark(int requests)
{
    private const string Body =
        """{"model":"gpt-fake","messages":[{"role":"user","content":"Say something short and kind."}],"stream":true,"x_upstream":{"chunks":10}}""";

    private const int Turn = 50;
    private const int Waking = 10;
    private const int WarmUpTurns = 10;

    public async Task RunAsync(TextWriter output)
    {
        await using var field = await GatewayField.StartAsync();
        var clients = field.Targets.Select(target => (Target: target, Client: ClientOf(target))).ToList();
        var measured = clients.ToDictionary(c => c.Target, _ => new List<double>());
        for (var turn = 0; turn < WarmUpTurns + (requests / Turn); turn++)
        {
            foreach (var (target, client) in clients)
            {
                for (var i = 0; i < Waking + Turn; i++)
                {
                    var milliseconds = await FirstByteAsync(client, target.Address);
                    if (turn >= WarmUpTurns && i >= Waking)
                        measured[target].Add(milliseconds);
                }
            }
        }

        var direct = Statistics.Median(measured[field.Direct]);
        await output.WriteLineAsync("| through | first byte p50 ms | added ms | p99 ms |");
        await output.WriteLineAsync("|---|---:|---:|---:|");
        foreach (var (target, _) in clients)
        {
            var times = measured[target];
            var p50 = Statistics.Median(times);
            var p99 = times.Order().ElementAt((int)(times.Count * 0.99));
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {target.Name} | {p50:0.00} | {p50 - direct:0.00} | {p99:0.00} |"
                )
            );
        }
        foreach (var (_, client) in clients)
            client.Dispose();
    }

    private static HttpClient ClientOf(Target target)
    {
        var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1 }, disposeHandler: true);
        foreach (var (name, value) in target.Headers)
            client.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
        return client;
    }

    private static async Task<double> FirstByteAsync(HttpClient client, Uri address)
    {
        var started = Stopwatch.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Body))
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            },
        };
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        await using var stream = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[16 * 1024];
        if (await stream.ReadAsync(buffer) == 0)
            throw new InvalidOperationException($"{address} answered an empty stream.");
        var elapsed = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        while (await stream.ReadAsync(buffer) > 0) { }
        return elapsed;
    }
}
