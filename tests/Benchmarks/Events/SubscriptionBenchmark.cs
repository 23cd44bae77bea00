using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Modules;

namespace Verbatim.Tests.Benchmarks.Events;

/// <summary>
/// Events a second that a subscription hands to a handler that does nothing, with checkpoints moved in transactions, beside the same rows
/// copied out of Postgres and thrown away.
/// </summary>
/// <param name="rounds">Each goes over all rows of the table; a cell is the median.</param>
/// <param name="events">How many the log has.</param>
internal sealed class SubscriptionBenchmark(int rounds, int events)
{
    /// <summary>Measures and prints.</summary>
    public async Task RunAsync(TextWriter output)
    {
        await using var log = await BenchmarkLog.StartAsync();
        var instance = log.NewInstance();
        await ReplayBenchmark.FillAsync(instance, events);
        var targets = new (string Name, Func<Task> Run)[]
        {
            ("COPY … TO STDOUT, thrown away", () => ReplayBenchmark.CopyAsync(log.ConnectionString)),
            ("a subscription with one lane", () => HandleAsync(instance, typeof(OnHappened))),
            ("a subscription with two lanes", () => HandleAsync(instance, typeof(OnHappenedInTwoLanes))),
        };
        var measured = targets.ToDictionary(t => t.Name, _ => new List<double>(), StringComparer.Ordinal);
        for (var round = -1; round < rounds; round++)
        {
            foreach (var (name, run) in targets)
            {
                var started = Stopwatch.GetTimestamp();
                await run();
                // The round before the first warms everything up.
                if (round >= 0)
                    measured[name].Add(events / Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
        }
        var medians = targets.Select(t => (t.Name, PerSecond: Statistics.Median(measured[t.Name]))).ToList();
        await output.WriteLineAsync($"Handling {events:N0} events of 700 bytes, medians of {rounds} rounds");
        await output.WriteLineAsync();
        await output.WriteLineAsync("| | events/s | of COPY |");
        await output.WriteLineAsync("|---|--:|--:|");
        foreach (var (name, perSecond) in medians)
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {name} | {perSecond:N0} | {perSecond / medians[0].PerSecond:P0} |"
                )
            );
    }

    private async Task HandleAsync(BenchmarkLog.Instance instance, Type type)
    {
        await using (var forget = instance.Database.Writes.CreateCommand("delete from platform.subscriptions"))
            await forget.ExecuteNonQueryAsync();
        var counter = new Counter(events);
        await using var services = new ServiceCollection().AddSingleton(counter).BuildServiceProvider();
        var ids = new IdSource(TimeProvider.System);
        using var meters = new MessagingMeters();
        var signal = new LogSignal();
        using var runner = new SubscriptionRunner(
            new SubscriptionCatalog([type], instance.Catalog),
            new SubscriptionContext(
                instance.Reader,
                signal,
                new RecentEvents(TimeProvider.System),
                instance.Database,
                services,
                new RunningInstance(ids),
                ids,
                meters,
                TimeProvider.System,
                NullLogger<SubscriptionRunner>.Instance
            )
        );
        await runner.StartAsync(CancellationToken.None);
        await counter.Done;
        await runner.StopAsync(CancellationToken.None);
    }

    /// <summary>Knows when all is handled.</summary>
    internal sealed class Counter(int goal)
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _count;

        public Task Done => _done.Task;

        public void Count()
        {
            if (Interlocked.Increment(ref _count) == goal)
                _done.SetResult();
        }
    }

    [Subscription("benchmark.count")]
    private static class OnHappened
    {
        public static Task HandleAsync(Happened happened, Counter counter)
        {
            counter.Count();
            return happened.Attempt == 1 ? Task.CompletedTask : throw new InvalidOperationException();
        }
    }

    [Subscription("benchmark.count", Lanes = 2)]
    private static class OnHappenedInTwoLanes
    {
        public static Task HandleAsync(Happened happened, Counter counter) => OnHappened.HandleAsync(happened, counter);
    }
}
