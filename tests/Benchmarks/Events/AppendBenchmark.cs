using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Benchmarks.Events;

/// <summary>
/// Durable appends a second, beside pgbench's single-row inserts of as many bytes at 32 clients on the same server. Each append is a
/// transaction of its own for its caller: it is awaited.
/// </summary>
/// <param name="rounds">Each goes over all rows of the table; a cell is the median.</param>
/// <param name="time">How long each row is measured in each round.</param>
internal sealed partial class AppendBenchmark(int rounds, TimeSpan time)
{
    private static readonly string Tenant = Guid.CreateVersion7().ToString();

    /// <summary>A row of the table.</summary>
    /// <param name="Name">What was measured.</param>
    /// <param name="PerSecond">Appends, or inserts, a second.</param>
    /// <param name="Median">Milliseconds that one took.</param>
    /// <param name="Slowest">Milliseconds that 99 of 100 did not exceed.</param>
    internal sealed record Row(string Name, double PerSecond, double Median, double Slowest);

    /// <summary>Measures and prints.</summary>
    public async Task RunAsync(TextWriter output)
    {
        var rows = await MeasureAsync();
        var inserts = rows.FirstOrDefault(r => r.Name.StartsWith("pgbench", StringComparison.Ordinal));
        await output.WriteLineAsync(
            $"Durable appends of 700 bytes, medians of {rounds} rounds of {time.TotalSeconds:0} s"
        );
        await output.WriteLineAsync();
        await output.WriteLineAsync("| | /s | p50 ms | p99 ms | × pgbench |");
        await output.WriteLineAsync("|---|--:|--:|--:|--:|");
        foreach (var row in rows)
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {row.Name} | {row.PerSecond:N0} | {row.Median:0.00} | {row.Slowest:0.00} | {row.PerSecond / inserts?.PerSecond:0.0} |"
                )
            );
        if (inserts is null)
            await output.WriteLineAsync(
                "pgbench is not installed (Debian: postgresql-contrib or postgresql), so nothing is compared."
            );
    }

    /// <summary>Measures.</summary>
    public async Task<IReadOnlyList<Row>> MeasureAsync()
    {
        await using var log = await BenchmarkLog.StartAsync();
        var one = log.NewInstance();
        var two = log.NewInstance();
        var targets = new List<(string Name, Func<Task<Row>> Measure)>();
        if (Command.Exists("pgbench"))
            targets.Add(("pgbench, 32 clients", () => InsertAsync(log)));
        foreach (var appenders in new[] { 1, 32, 128, 512 })
            targets.Add(
                (
                    $"{appenders} appender{(appenders > 1 ? "s" : "")}",
                    () => AppendAsync(appenders, (i, context, id) => AppendOneAsync(one, context, id))
                )
            );
        targets.Add(
            (
                "512, on two instances",
                () => AppendAsync(512, (i, context, id) => AppendOneAsync(i % 2 == 0 ? one : two, context, id))
            )
        );
        targets.Add(
            (
                "512, documents without a row",
                () => AppendAsync(512, (_, c, id) => CreateAsync<FoldedDocument>(one, c, id))
            )
        );
        targets.Add(
            ("512, documents with a row", () => AppendAsync(512, (_, c, id) => CreateAsync<InlineDocument>(one, c, id)))
        );

        // What is compiled and prepared at first use is not measured.
        await AppendAsync(64, (_, context, id) => AppendOneAsync(one, context, id));
        var measured = targets.ToDictionary(t => t.Name, _ => new List<Row>(), StringComparer.Ordinal);
        for (var round = 0; round < rounds; round++)
        {
            foreach (var (name, measure) in targets)
                measured[name].Add(await measure());
        }
        return
        [
            .. targets.Select(t => new Row(
                t.Name,
                Statistics.Median(measured[t.Name].Select(r => r.PerSecond)),
                Statistics.Median(measured[t.Name].Select(r => r.Median)),
                Statistics.Median(measured[t.Name].Select(r => r.Slowest))
            )),
        ];
    }

    private static async Task AppendOneAsync(BenchmarkLog.Instance instance, AppendContext context, Guid id)
    {
        var result = await instance.Events.AppendAsync(
            context,
            new StreamEvents("benchmark", id, 0, [Happened.Sample]),
            CancellationToken.None
        );
        if (result.Conflict is not null)
            throw new InvalidOperationException("A new stream is in conflict.");
    }

    private static async Task CreateAsync<T>(BenchmarkLog.Instance instance, AppendContext context, Guid id)
        where T : class, IDocument<T> =>
        await instance.Documents.CreateAsync(
            context,
            [instance.Documents.New<T>(id, Happened.Sample)],
            [],
            CancellationToken.None
        );

    private async Task<Row> AppendAsync(int appenders, Func<int, AppendContext, Guid, Task> append)
    {
        var latencies = new List<double>[appenders];
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(
            Enumerable
                .Range(0, appenders)
                .Select(i =>
                    Task.Run(async () =>
                    {
                        var own = latencies[i] = [];
                        var context = new AppendContext(Guid.Parse(Tenant), "api-key:" + Tenant, "");
                        while (Stopwatch.GetElapsedTime(started) < time)
                        {
                            var id = Guid.CreateVersion7();
                            var begun = Stopwatch.GetTimestamp();
                            await append(i, context with { Correlation = id.ToString("N") }, id);
                            own.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                        }
                    })
                )
        );
        var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var all = latencies.SelectMany(l => l).Order().ToList();
        return new Row("", all.Count / elapsed, all[all.Count / 2], all[(int)(all.Count * 0.99)]);
    }

    // Into a table that has nothing but its key, so that the comparison is not kind to the log and its four indexes.
    private async Task<Row> InsertAsync(BenchmarkLog log)
    {
        await using (var source = NpgsqlDataSource.Create(log.ConnectionString))
        {
            await using var create = source.CreateCommand(
                "create table if not exists public.inserts (id bigserial primary key, data bytea not null)"
            );
            await create.ExecuteNonQueryAsync();
        }
        var script = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(
                script,
                $"insert into public.inserts (data) values ('\\x{new string('7', 1400)}');\n"
            );
            var settings = new NpgsqlConnectionStringBuilder(log.ConnectionString);
            var printed = await Command.RunAsync(
                "pgbench",
                [
                    "-h",
                    settings.Host!,
                    "-p",
                    settings.Port.ToString(CultureInfo.InvariantCulture),
                    "-U",
                    settings.Username!,
                    "-n",
                    "-M",
                    "prepared",
                    "-c",
                    "32",
                    "-j",
                    "2",
                    "-T",
                    Math.Ceiling(time.TotalSeconds).ToString(CultureInfo.InvariantCulture),
                    "-f",
                    script,
                    settings.Database!,
                ]
            );
            return new Row("", Number(TransactionsPerSecond(), printed), Number(AverageLatency(), printed), double.NaN);
        }
        finally
        {
            File.Delete(script);
        }
    }

    private static double Number(Regex pattern, string text) =>
        double.Parse(pattern.Match(text).Groups["n"].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"tps = (?<n>[\d.]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex TransactionsPerSecond();

    [GeneratedRegex(@"latency average = (?<n>[\d.]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AverageLatency();
}
