using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Verbatim.Evidence;
using Verbatim.Platform.Events;
using Verbatim.Platform.Evidence;
using Verbatim.Platform.Secrets;
using Verbatim.Tests.Benchmarks.Events;

namespace Verbatim.Tests.Benchmarks.Evidence;

/// <summary>
/// What proof costs: appends with and without the tree and its checkpoints, hashing by itself, proofs beside lookups by a primary key, and a
/// document of very many events beside one row.
/// </summary>
/// <param name="rounds">Of appends with and without; a cell is the median.</param>
/// <param name="time">How long appends are measured in each.</param>
/// <param name="events">How many the log of the proofs has, all of one stream.</param>
/// <param name="lookups">How many proofs, rows and documents are read.</param>
internal sealed class EvidenceBenchmark(int rounds, TimeSpan time, int events, int lookups)
{
    private const int Appenders = 512;

    /// <summary>Measures and prints.</summary>
    public async Task RunAsync(TextWriter output)
    {
        await AppendsAsync(output);
        await LookupsAsync(output);
    }

    private async Task AppendsAsync(TextWriter output)
    {
        await using var log = await BenchmarkLog.StartAsync();
        var instance = log.NewInstance();
        var sealer = SealerOn(instance);
        await AppendAsync(instance, TimeSpan.FromSeconds(2));
        await sealer.SealAsync(CancellationToken.None);
        var (without, with, shares) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            // Which of the two comes first changes, so that a log that grows and a machine that warms up favour neither.
            foreach (var isSealed in round % 2 == 0 ? (bool[])[false, true] : [true, false])
            {
                await sealer.SealAsync(CancellationToken.None);
                (isSealed ? with : without).Add(
                    isSealed ? await AppendSealedAsync(instance, sealer) : await AppendAsync(instance, time)
                );
            }
            shares.Add(1 - with[^1] / without[^1]);
        }
        var signing = await SignSecondAsync(instance, sealer);
        var hash = HashMicroseconds();
        var perSecond = Statistics.Median(without);
        await output.WriteLineAsync(
            $"Durable appends of 700 bytes, {Appenders} at once, medians of {rounds} rounds of {time.TotalSeconds:0} s"
        );
        await output.WriteLineAsync();
        await output.WriteLineAsync("| | |");
        await output.WriteLineAsync("|---|--:|");
        await output.WriteLineAsync(Text($"| without tree and checkpoints | {perSecond:N0} /s |"));
        await output.WriteLineAsync(Text($"| with a checkpoint each second | {Statistics.Median(with):N0} /s |"));
        await output.WriteLineAsync(
            Text(
                $"| tree and checkpoints cost (median of the rounds, least to most) | {Statistics.Median(shares):P1} ({shares.Min():P1} to {shares.Max():P1}) |"
            )
        );
        await output.WriteLineAsync(
            Text($"| adding and signing 20,000 events, while nothing else goes on | {signing:0} ms |")
        );
        await output.WriteLineAsync(Text($"| hashing an event | {hash:0.00} µs |"));
        // The writer hashes on its one thread, so this is the most that hashing can cost.
        await output.WriteLineAsync(Text($"| hashing costs at most | {hash * perSecond / 1e6:P1} |"));
        await output.WriteLineAsync(
            Text($"| together (target: 10 % at most) | {Statistics.Median(shares) + hash * perSecond / 1e6:P1} |")
        );
        await output.WriteLineAsync();
    }

    private async Task LookupsAsync(TextWriter output)
    {
        await using var log = await BenchmarkLog.StartAsync();
        var instance = log.NewInstance();
        var context = new AppendContext(Guid.CreateVersion7(), "api-key:" + Guid.CreateVersion7(), "");
        var (large, small) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await FillAsync(instance, context, large, events);
        await FillAsync(instance, context, small, 1);
        await SealerOn(instance).SealAsync(CancellationToken.None);
        await using (var settle = instance.Database.Writes.CreateCommand("vacuum analyze"))
        {
            settle.CommandTimeout = 0;
            await settle.ExecuteNonQueryAsync();
        }
        var tree = new TreeReader(instance.Database);
        var size = await tree.ReadSizeAsync(CancellationToken.None);
        var chosen = await ExportAsync(instance, tree, size, new EventFilter { TenantId = context.TenantId });
        var all = await ExportAsync(instance, tree: null, size, new EventFilter());
        await output.WriteLineAsync(
            Text($"Chosen events with their proofs: {chosen:N0} /s; all events without: {all:N0} /s")
        );
        await output.WriteLineAsync();
        var random = new Random(6962);
        var kinds = new (string Name, Func<Task> Read)[]
        {
            (
                "an event by its primary key",
                () => EventAsync(instance, context.TenantId, large, 1 + random.Next(events))
            ),
            (
                "an inclusion proof",
                () => tree.ProveInclusionAsync(1 + random.NextInt64(size), size, CancellationToken.None)
            ),
            ("a row of documents by its primary key", () => RowAsync(instance, context.TenantId, small)),
            ("a state of 1 event", () => StateAsync(instance, context.TenantId, small)),
            (Text($"a state of {events:N0} events"), () => StateAsync(instance, context.TenantId, large)),
        };
        var took = kinds.ToDictionary(k => k.Name, _ => new List<double>(), StringComparer.Ordinal);
        for (var i = -500; i < lookups; i++)
        {
            foreach (var (name, read) in kinds)
            {
                var begun = Stopwatch.GetTimestamp();
                await read();
                // The first ones compile, prepare and fill caches.
                if (i >= 0)
                    took[name].Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            }
        }
        await output.WriteLineAsync(Text($"A log of {size:N0} events, {lookups:N0} reads of each kind in turn"));
        await output.WriteLineAsync();
        await output.WriteLineAsync("| | p50 ms | p99 ms |");
        await output.WriteLineAsync("|---|--:|--:|");
        foreach (var (name, _) in kinds)
            await output.WriteLineAsync(
                Text($"| {name} | {Part(took[name], 0.5):0.000} | {Part(took[name], 0.99):0.000} |")
            );
        await output.WriteLineAsync();
        var proof = Part(took[kinds[1].Name], 0.99) / Part(took[kinds[0].Name], 0.99);
        await output.WriteLineAsync(
            Text(
                $"A proof's p99 is {proof:0.0} times that of an event (target: under 2 × log2(n) / 8 = {2 * Math.Log2(size) / 8:0.0})."
            )
        );
        var state = Part(took[kinds[4].Name], 0.5);
        await output.WriteLineAsync(
            Text(
                $"The state of {events:N0} events takes {state / Part(took[kinds[3].Name], 0.5):0.00} times as long as that of one, and {state / Part(took[kinds[2].Name], 0.5):0.00} times as long as a row."
            )
        );
    }

    // As the host does it: again a second after it was done, whatever is appended meanwhile.
    private async Task<double> AppendSealedAsync(BenchmarkLog.Instance instance, TreeSealer sealer)
    {
        using var ended = new CancellationTokenSource();
        var sealing = Task.Run(async () =>
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
            while (!ended.IsCancellationRequested)
            {
                await sealer.SealAsync(CancellationToken.None);
                await timer.WaitForNextTickAsync(CancellationToken.None);
            }
        });
        // So that the first checkpoint that is measured has a second's events to take, as all others.
        await AppendAsync(instance, TimeSpan.FromSeconds(1));
        var perSecond = await AppendAsync(instance, time);
        await ended.CancelAsync();
        await sealing;
        return perSecond;
    }

    // Beside what differs between two rounds, which on a busy machine is mostly the machine.
    private static async Task<double> SignSecondAsync(BenchmarkLog.Instance instance, TreeSealer sealer)
    {
        var took = new List<double>();
        var tenant = Guid.CreateVersion7();
        for (var round = 0; round < 5; round++)
        {
            await sealer.SealAsync(CancellationToken.None);
            await FillAsync(
                instance,
                new AppendContext(tenant, $"api-key:{tenant}", ""),
                Guid.CreateVersion7(),
                20_000
            );
            var begun = Stopwatch.GetTimestamp();
            await sealer.SealAsync(CancellationToken.None);
            took.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
        return Statistics.Median(took);
    }

    private static async Task<double> AppendAsync(BenchmarkLog.Instance instance, TimeSpan time)
    {
        var tenant = Guid.CreateVersion7();
        var context = new AppendContext(tenant, $"api-key:{tenant}", "");
        var count = 0L;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(
            Enumerable
                .Range(0, Appenders)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        while (Stopwatch.GetElapsedTime(started) < time)
                        {
                            var id = Guid.CreateVersion7();
                            await instance.Events.AppendAsync(
                                context with
                                {
                                    Correlation = id.ToString("N"),
                                },
                                new StreamEvents("benchmark", id, 0, [Happened.Sample]),
                                CancellationToken.None
                            );
                            Interlocked.Increment(ref count);
                        }
                    })
                )
        );
        return count / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static double HashMicroseconds()
    {
        const int times = 200_000;
        var data = new byte[700];
        var header = new LeafHeader(
            1,
            Guid.CreateVersion7(),
            Guid.CreateVersion7(),
            "benchmark",
            1,
            "benchmark.happened",
            1,
            1,
            $"api-key:{Guid.CreateVersion7()}",
            Guid.CreateVersion7().ToString("N")
        );
        byte[] scratch = [];
        var hash = new byte[LeafEncoding.HashSize];
        var best = double.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var begun = Stopwatch.GetTimestamp();
            for (var i = 0; i < times; i++)
                LeafEncoding.Hash(ref scratch, header with { Position = i }, data, hash);
            best = Math.Min(best, Stopwatch.GetElapsedTime(begun).TotalMicroseconds / times);
        }
        return best;
    }

    private static async Task FillAsync(BenchmarkLog.Instance instance, AppendContext context, Guid stream, int events)
    {
        const int perAppend = 1_000;
        var happened = Happened.Sample with { Text = "short" };
        for (var done = 0; done < events; done += perAppend)
            await instance.Documents.DecideAsync<InlineDocument>(
                context,
                stream,
                _ => Decision.Append([.. Enumerable.Repeat(happened, Math.Min(perAppend, events - done))]),
                CancellationToken.None
            );
    }

    private static async Task<double> ExportAsync(
        BenchmarkLog.Instance instance,
        TreeReader? tree,
        long size,
        EventFilter filter
    )
    {
        var begun = Stopwatch.GetTimestamp();
        var count = 0L;
        var prover = tree?.ProveInclusions(size);
        await foreach (var page in instance.Events.ReadChosenAsync(filter, 0, size, CancellationToken.None))
        {
            if (prover is not null)
                await prover.ProveAsync([.. page.Select(e => e.Position)], CancellationToken.None);
            count += page.Count;
        }
        return count == size
            ? count / Stopwatch.GetElapsedTime(begun).TotalSeconds
            : throw new InvalidOperationException($"The log has {size} events, and {count} were read.");
    }

    private static async Task EventAsync(BenchmarkLog.Instance instance, Guid tenant, Guid stream, long version)
    {
        await using var command = instance.Database.Writes.CreateCommand(
            "select leaf_hash from platform.events where tenant_id = $1 and stream_id = $2 and version = $3"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenant });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = stream });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = version });
        if (await command.ExecuteScalarAsync() is not byte[])
            throw new InvalidOperationException("There is no such event.");
    }

    private static async Task RowAsync(BenchmarkLog.Instance instance, Guid tenant, Guid id)
    {
        await using var command = instance.Database.Writes.CreateCommand(
            "select version, data::text from documents.benchmark_inline where tenant_id = $1 and id = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenant });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync() || reader.GetFieldValue<byte[]>(1).Length == 0)
            throw new InvalidOperationException("There is no such row.");
    }

    private static async Task StateAsync(BenchmarkLog.Instance instance, Guid tenant, Guid id)
    {
        if (
            await instance.Documents.LoadAsync<InlineDocument>(Access.ToAll(tenant), id, CancellationToken.None) is null
        )
            throw new InvalidOperationException("There is no such document.");
    }

    private static TreeSealer SealerOn(BenchmarkLog.Instance instance)
    {
        var settings = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>(StringComparer.Ordinal)
                {
                    ["Secrets:MasterKey"] = Convert.ToBase64String(new byte[32]),
                }
            )
            .Build();
        return new TreeSealer(
            instance.Database,
            new CheckpointKeys(MasterKey.Load(settings, NullLogger<MasterKey>.Instance), TimeProvider.System),
            settings,
            new IdSource(TimeProvider.System),
            TimeProvider.System,
            NullLogger<TreeSealer>.Instance
        );
    }

    private static double Part(IEnumerable<double> values, double part)
    {
        var sorted = values.Order().ToList();
        return sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * part))];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
