using System.Globalization;

namespace Verbatim.Tests.Benchmarks.Gateway;

/// <summary>
/// Requests a second and latency through each gateway to the same fake provider on this machine: without a gateway, nginx, Portkey, and Verbatim
/// with authentication and durable records on. Rounds go over all targets in turn, and a cell is the median of its rounds, since other work on
/// the machine disturbs some.
/// </summary>
internal sealed class GatewayBenchmark(int rounds, TimeSpan duration)
{
    private const string Body =
        """{"model":"gpt-fake","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"Say something short and kind."}],"temperature":0.2}""";
    private const string StreamBody =
        """{"model":"gpt-fake","messages":[{"role":"user","content":"Say something short and kind."}],"stream":true,"stream_options":{"include_usage":true},"x_upstream":{"chunks":50}}""";
    private static readonly int[] Connections = [1, 32, 128];

    public async Task RunAsync(TextWriter output)
    {
        await using var field = await GatewayField.StartAsync();
        var idle = field.Verbatim.Process.ResidentMegabytes;
        foreach (var (title, body) in new[] { ("JSON answers", Body), ("Streams of 50 chunks", StreamBody) })
        {
            var measured = await MeasureAsync(field.Targets, body);
            Print(output, title, field, measured);
        }
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Verbatim's memory: {idle:N0} MB idle after the start, {field.Verbatim.Process.ResidentMegabytes:N0} MB after the load."
            )
        );
    }

    private async Task<Dictionary<(Target, int), Measurement>> MeasureAsync(IReadOnlyList<Target> targets, string body)
    {
        var runs = new List<(Target Target, int Connections, Measurement Measurement)>();
        // A first round that does not count: code is compiled, connections are made.
        foreach (var target in targets)
            await Wrk.RunAsync(target, body, 128, Wrk.WarmUp);
        for (var round = 0; round < rounds; round++)
        {
            foreach (var connections in Connections)
            {
                foreach (var target in targets)
                    runs.Add((target, connections, await Wrk.RunAsync(target, body, connections, duration)));
            }
        }
        return runs.GroupBy(r => (r.Target, r.Connections))
            .ToDictionary(
                g => g.Key,
                g => new Measurement(
                    Statistics.Median(g.Select(r => r.Measurement.RequestsPerSecond)),
                    Statistics.Median(g.Select(r => r.Measurement.P50Ms)),
                    Statistics.Median(g.Select(r => r.Measurement.P99Ms))
                )
            );
    }

    private static void Print(
        TextWriter output,
        string title,
        GatewayField field,
        Dictionary<(Target, int), Measurement> measured
    )
    {
        output.WriteLine();
        output.WriteLine($"## {title}");
        output.WriteLine();
        output.WriteLine(
            "| through | connections | requests/s | of nginx | of Portkey | added p50 ms | added p99 ms |"
        );
        output.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        foreach (var target in field.Targets)
        {
            foreach (var connections in Connections)
            {
                var m = measured[(target, connections)];
                var d = measured[(field.Direct, connections)];
                output.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"| {target.Name} | {connections} | {m.RequestsPerSecond:N0} | {m.RequestsPerSecond / measured[(field.Nginx, connections)].RequestsPerSecond:P0} | {m.RequestsPerSecond / measured[(field.Portkey, connections)].RequestsPerSecond:0.0}× | {m.P50Ms - d.P50Ms:0.00} | {m.P99Ms - d.P99Ms:0.00} |"
                    )
                );
            }
        }
        output.WriteLine();
    }
}
