using System.Globalization;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Messaging.Jobs;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging;

/// <summary>
/// A whole instance: it appends events with jobs until there are so many, runs subscriptions and jobs, and ends when its input does.
/// </summary>
internal sealed class SoakProcess : IChildProgram
{
    private const int Writers = 6;

    public async Task<int> RunAsync(string[] args)
    {
        var (connectionString, name) = (args[0], args[1]);
        var goal = long.Parse(args[2], CultureInfo.InvariantCulture);
        await using var store = new TestStore(connectionString, patience: TimeSpan.FromSeconds(60));
        await using var subscriptions = new RunningSubscriptions(
            store,
            [typeof(OnAnything), typeof(OnNotedInFourLanes)],
            new Applier(name)
        );
        await using var jobs = new RunningJobs(store, new Worker(name));
        await subscriptions.StartAsync();
        await jobs.StartAsync();
        Console.WriteLine("running");
        using var stopping = new CancellationTokenSource();
        var writing = Task.WhenAll(
            Enumerable.Range(0, Writers).Select(_ => Task.Run(() => WriteAsync(store, goal, stopping.Token)))
        );
        await Console.In.ReadToEndAsync(CancellationToken.None);
        await stopping.CancelAsync();
        await writing;
        return 0;
    }

    private static async Task WriteAsync(TestStore store, long goal, CancellationToken cancellationToken)
    {
        var version = 0L;
        var stream = Guid.CreateVersion7();
        for (var n = 0; store.Events.LastKnownPosition < goal && !cancellationToken.IsCancellationRequested; n++)
        {
            if (n % 50 == 49)
                (stream, version) = (Guid.CreateVersion7(), 0);
            IEvent[] events =
            [
                .. Enumerable.Range(0, 1 + n % 4).Select(i => (IEvent)(i == 3 ? new Stepped() : new Noted($"{n}"))),
            ];
            try
            {
                var result = await store.Events.AppendAsync(
                    TestStore.Context,
                    [new StreamEvents("test-plain", stream, version, events)],
                    n % 5 == 0
                        ?
                        [
                            RunningJobs.Enqueuer.Enqueue(
                                TestStore.Context,
                                new Duty(BitConverter.ToInt64(stream.ToByteArray(), 8) ^ version)
                            ),
                        ]
                        : [],
                    CancellationToken.None
                );
                if (result.Conflict is not null)
                    throw new InvalidOperationException($"It conflicts: {result.Conflict}");
                version += events.Length;
            }
            catch (Exception e) when (e is LogUnavailableException or PostgresException)
            {
                // What came of it is not known: another stream.
                (stream, version) = (Guid.CreateVersion7(), 0);
            }
        }
    }
}
