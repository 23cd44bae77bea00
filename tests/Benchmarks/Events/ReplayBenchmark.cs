using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Verbatim.Platform.Events;

namespace Verbatim.Tests.Benchmarks.Events;

/// <summary>
/// Events a second that are read from the log, with their JSON read into the event's type, beside the same rows copied out of Postgres
/// and thrown away.
/// </summary>
/// <param name="rounds">Each goes over all rows of the table; a cell is the median.</param>
/// <param name="events">How many the log has.</param>
internal sealed class ReplayBenchmark(int rounds, int events)
{
    /// <summary>A row of the table.</summary>
    internal sealed record Row(string Name, double PerSecond);

    /// <summary>Measures and prints.</summary>
    public async Task RunAsync(TextWriter output)
    {
        var rows = await MeasureAsync();
        await output.WriteLineAsync($"Reading {events:N0} events of 700 bytes, medians of {rounds} rounds");
        await output.WriteLineAsync();
        await output.WriteLineAsync("| | events/s | of COPY |");
        await output.WriteLineAsync("|---|--:|--:|");
        foreach (var row in rows)
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {row.Name} | {row.PerSecond:N0} | {row.PerSecond / rows[0].PerSecond:P0} |"
                )
            );
    }

    /// <summary>Measures.</summary>
    public async Task<IReadOnlyList<Row>> MeasureAsync()
    {
        await using var log = await BenchmarkLog.StartAsync();
        var instance = log.NewInstance();
        await FillAsync(instance, events);
        var targets = new (string Name, Func<Task<int>> Read)[]
        {
            (
                "COPY … TO STDOUT, thrown away",
                async () =>
                {
                    await CopyAsync(log.ConnectionString);
                    return events;
                }
            ),
            ("events as recorded", () => ReadAsync(instance, withJson: false)),
            ("events with their JSON read", () => ReadAsync(instance, withJson: true)),
        };
        var measured = targets.ToDictionary(t => t.Name, _ => new List<double>(), StringComparer.Ordinal);
        for (var round = -1; round < rounds; round++)
        {
            foreach (var (name, read) in targets)
            {
                var started = Stopwatch.GetTimestamp();
                var count = await read();
                // The round before the first warms everything up.
                if (round >= 0)
                    measured[name].Add(count / Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
        }
        return [.. targets.Select(t => new Row(t.Name, Statistics.Median(measured[t.Name])))];
    }

    /// <summary>Appends so many events.</summary>
    public static async Task FillAsync(BenchmarkLog.Instance instance, int events)
    {
        const int perAppend = 20;
        var context = new AppendContext(Guid.CreateVersion7(), "api-key:" + Guid.CreateVersion7(), "");
        await Parallel.ForAsync(
            0,
            events / perAppend,
            new ParallelOptions { MaxDegreeOfParallelism = 200 },
            async (_, cancellationToken) =>
                await instance.Events.AppendAsync(
                    context with
                    {
                        Correlation = Guid.CreateVersion7().ToString("N"),
                    },
                    new StreamEvents(
                        "benchmark",
                        Guid.CreateVersion7(),
                        0,
                        [.. Enumerable.Repeat(Happened.Sample, perAppend)]
                    ),
                    cancellationToken
                )
        );
        await using var settle = instance.Database.Writes.CreateCommand("vacuum analyze platform.events");
        settle.CommandTimeout = 0;
        await settle.ExecuteNonQueryAsync();
    }

    private static async Task<int> ReadAsync(BenchmarkLog.Instance instance, bool withJson)
    {
        var count = 0;
        await foreach (var recorded in instance.Events.ReadAllAsync(0, CancellationToken.None))
        {
            if (withJson && ((Happened)instance.Catalog.Read(recorded)).Attempt != 1)
                throw new InvalidOperationException("This is not what was appended.");
            count++;
        }
        return count;
    }

    /// <summary>Copies all rows and throws them away.</summary>
    public static async Task CopyAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var connection = await source.OpenConnectionAsync();
        await using var stream = await connection.BeginRawBinaryCopyAsync(
            "copy platform.events to stdout (format binary)"
        );
        var buffer = new byte[1024 * 1024];
        while (await stream.ReadAsync(buffer, CancellationToken.None) > 0)
        {
            // Thrown away.
        }
    }
}
