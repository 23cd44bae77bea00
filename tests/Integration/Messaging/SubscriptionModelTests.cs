using System.Collections.Concurrent;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Platform.Messaging;
using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging;

/// <summary>
/// Random lives of a subscription against the real engine and against a model of it in memory: events that can and cannot be handled,
/// decisions about dead letters, instances that come and go, lanes that change.
/// </summary>
public sealed class SubscriptionModelTests(SharedPostgres server)
{
    private const int Streams = 3;
    private const string Name = "test.model";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void A_subscription_does_what_the_model_does()
    {
        var property = Prop.ForAll(Arb.From(Lives, Shrink), steps => RunAsync(steps).GetAwaiter().GetResult());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(12).WithQuietOnSuccess(true), property);
    }

    internal abstract record Step;

    /// <summary>Events of one stream, each with whether its handler fails.</summary>
    internal sealed record Append(int Stream, IReadOnlyList<bool> AreSick) : Step;

    /// <summary>What the stream waits for can be handled from now on.</summary>
    internal sealed record Heal(int Stream) : Step;

    internal sealed record Retry(int Stream) : Step;

    internal sealed record Discard(int Stream) : Step;

    /// <summary>All instances end, and others begin.</summary>
    internal sealed record Restart(int Instances, bool HasOtherLanes) : Step;

    private static Gen<Step> AnyStep =>
        Gen.Frequency(
            (
                6,
                from stream in Gen.Choose(0, Streams - 1)
                from sick in Gen.Choose(1, 6)
                    .SelectMany(n => Gen.ArrayOf(Gen.Frequency((5, Gen.Constant(false)), (1, Gen.Constant(true))), n))
                select (Step)new Append(stream, sick)
            ),
            (2, Gen.Choose(0, Streams - 1).Select(s => (Step)new Heal(s))),
            (3, Gen.Choose(0, Streams - 1).Select(s => (Step)new Retry(s))),
            (2, Gen.Choose(0, Streams - 1).Select(s => (Step)new Discard(s))),
            (
                1,
                from instances in Gen.Choose(1, 2)
                from other in ArbMap.Default.GeneratorFor<bool>()
                select (Step)new Restart(instances, other)
            )
        );

    private static Gen<Step[]> Lives => Gen.Choose(4, 16).SelectMany(n => Gen.ArrayOf(AnyStep, n));

    private static IEnumerable<Step[]> Shrink(Step[] steps) =>
        steps.Select((_, i) => (Step[])[.. steps[..i], .. steps[(i + 1)..]]);

    private async Task RunAsync(Step[] steps)
    {
        await using var store = new TestStore(await MigratedDatabase.CreateAsync(server));
        await store.ExecuteAsync(Applier.Schema);
        var model = new Model();
        var sick = new Sickness();
        var running = new List<IAsyncDisposable>();
        try
        {
            await StartAsync(store, sick, running, new Restart(1, HasOtherLanes: false));
            foreach (var step in steps)
            {
                switch (step)
                {
                    case Append append:
                        await AppendAsync(store, model, sick, append);
                        break;
                    case Heal heal:
                        if (model.Heal(heal.Stream) is { } healed)
                            sick.Texts.TryRemove(healed, out _);
                        break;
                    case Retry retry:
                        await DecideAsync(store, model.Streams[retry.Stream], "retrying");
                        model.Retry(retry.Stream);
                        break;
                    case Discard discard:
                        await DecideAsync(store, model.Streams[discard.Stream], "discarding");
                        model.Discard(discard.Stream);
                        break;
                    case Restart restart:
                        await StopAsync(running);
                        await StartAsync(store, sick, running, restart);
                        break;
                    default:
                        throw new ArgumentOutOfRangeException(nameof(steps));
                }
                // A decision is about what there is then.
                if (step is Retry or Discard || (step is Append { AreSick: var sickness } && sickness.Contains(true)))
                    await RestAsync(store);
            }
            await RestAsync(store);
            await CheckAsync(store, model);
        }
        finally
        {
            await StopAsync(running);
        }
    }

    private static async Task AppendAsync(TestStore store, Model model, Sickness sick, Append append)
    {
        var (first, version) = (model.NextText, model.Version(append.Stream));
        var texts = append.AreSick.Select((_, i) => $"{first + i}").ToList();
        for (var i = 0; i < texts.Count; i++)
        {
            if (append.AreSick[i])
                sick.Texts[texts[i]] = true;
            model.Append(append.Stream, texts[i], append.AreSick[i]);
        }
        var result = await store.AppendAsync(
            model.Streams[append.Stream],
            version,
            [.. texts.Select(t => new Noted(t))]
        );
        Assert.Null(result.Conflict);
    }

    private static Task DecideAsync(TestStore store, Guid stream, string status) =>
        store.ExecuteAsync(
            $"update platform.dead_letters set status = '{status}' where status = 'waiting' and stream_id = '{stream}'"
        );

    // Everything that can be done is done.
    private static Task RestAsync(TestStore store) =>
        Eventually.UntilAsync(async () =>
            await store.QueryAsync<bool>(
                $"""
                select coalesce((select position from platform.subscription_positions where name = '{Name}'), 0)
                        = coalesce((select max(position) from platform.events), 0)
                    and not exists(select from platform.dead_letters where status in ('retrying', 'discarding'))
                """
            )
        );

    private static async Task CheckAsync(TestStore store, Model model)
    {
        var log = (await store.ReadAllAsync()).ToDictionary(e => e.Position, Applied.TextOf);
        var applied = await Applied.ReadAsync(store, Name);
        for (var i = 0; i < Streams; i++)
        {
            var id = model.Streams[i];
            Assert.Equal(model.Applied(i), applied.Where(a => a.Stream == id).Select(a => log[a.Position]));
            await using var command = store.Database.Writes.CreateCommand(
                """
                select position, status from platform.dead_letters
                where stream_id = $1 and status not in ('handled', 'discarded') order by position
                """
            );
            command.Parameters.AddWithValue(id);
            await using var reader = await command.ExecuteReaderAsync(Cancelled);
            var letters = new List<(string, string)>();
            while (await reader.ReadAsync(Cancelled))
                letters.Add((log[reader.GetInt64(0)], reader.GetString(1)));
            Assert.Equal(model.Letters(i).Select((text, n) => (text, n == 0 ? "waiting" : "parked")), letters);
        }
    }

    private static async Task StartAsync(
        TestStore store,
        Sickness sick,
        List<IAsyncDisposable> running,
        Restart restart
    )
    {
        for (var i = 0; i < restart.Instances; i++)
        {
            var instance = new RunningSubscriptions(
                store,
                [restart.HasOtherLanes ? typeof(OnNotedInThree) : typeof(OnNotedInOne)],
                new Applier($"{i}"),
                sick
            );
            running.Add(instance);
            await instance.StartAsync();
        }
    }

    private static async Task StopAsync(List<IAsyncDisposable> running)
    {
        foreach (var instance in running)
            await instance.DisposeAsync();
        running.Clear();
    }

    private static Task HandleAsync(
        Noted noted,
        Message message,
        Applier applier,
        Sickness sick,
        CancellationToken cancellationToken
    ) =>
        sick.Texts.ContainsKey(noted.Text)
            ? throw new InvalidOperationException("It is sick.")
            : applier.ApplyAsync(Name, null, message, cancellationToken);

    /// <summary>The texts that cannot be handled.</summary>
    internal sealed class Sickness
    {
        public ConcurrentDictionary<string, bool> Texts { get; } = new(StringComparer.Ordinal);
    }

    [Subscription(Name, BatchSize = 3, MaxAttempts = 1)]
    private static class OnNotedInOne
    {
        public static Task HandleAsync(
            Noted noted,
            Message message,
            Applier applier,
            Sickness sick,
            CancellationToken cancellationToken
        ) => SubscriptionModelTests.HandleAsync(noted, message, applier, sick, cancellationToken);
    }

    [Subscription(Name, BatchSize = 2, MaxAttempts = 1, Lanes = 3)]
    private static class OnNotedInThree
    {
        public static Task HandleAsync(
            Noted noted,
            Message message,
            Applier applier,
            Sickness sick,
            CancellationToken cancellationToken
        ) => SubscriptionModelTests.HandleAsync(noted, message, applier, sick, cancellationToken);
    }

    /// <summary>A subscription as some lists.</summary>
    private sealed class Model
    {
        private readonly List<string>[] _applied = Lists();
        private readonly List<string>[] _letters = Lists();
        private readonly long[] _versions = new long[SubscriptionModelTests.Streams];
        private readonly HashSet<string> _sick = new(StringComparer.Ordinal);

        public Guid[] Streams { get; } =
        [.. Enumerable.Range(0, SubscriptionModelTests.Streams).Select(_ => Guid.CreateVersion7())];

        public int NextText { get; private set; }

        public long Version(int stream) => _versions[stream];

        public List<string> Applied(int stream) => _applied[stream];

        public List<string> Letters(int stream) => _letters[stream];

        public void Append(int stream, string text, bool isSick)
        {
            NextText++;
            _versions[stream]++;
            if (isSick)
                _sick.Add(text);
            if (isSick || _letters[stream].Count > 0)
                _letters[stream].Add(text);
            else
                _applied[stream].Add(text);
        }

        public string? Heal(int stream)
        {
            if (_letters[stream].Count == 0)
                return null;
            _sick.Remove(_letters[stream][0]);
            return _letters[stream][0];
        }

        public void Retry(int stream)
        {
            while (_letters[stream].Count > 0 && !_sick.Contains(_letters[stream][0]))
            {
                _applied[stream].Add(_letters[stream][0]);
                _letters[stream].RemoveAt(0);
            }
        }

        public void Discard(int stream)
        {
            if (_letters[stream].Count == 0)
                return;
            _letters[stream].RemoveAt(0);
            Retry(stream);
        }

        private static List<string>[] Lists() =>
            [.. Enumerable.Range(0, SubscriptionModelTests.Streams).Select(_ => new List<string>())];
    }
}
