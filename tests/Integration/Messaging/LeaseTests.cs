using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging;

/// <summary>Which instance runs a subscription, with instances that die, freeze, pause, and change.</summary>
public sealed class LeaseTests(SharedPostgres server) : IAsyncLifetime
{
    private const string Lanes = "test.lanes";
    private const string OneLane = "test.one-lane";

    private readonly Guid[] _streams = [.. Enumerable.Range(0, 12).Select(_ => Guid.CreateVersion7())];
    private readonly Dictionary<Guid, long> _versions = [];
    private TestStore _store = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = new TestStore(await MigratedDatabase.CreateAsync(server));
        await _store.ExecuteAsync(Applier.Schema);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task When_the_holder_is_killed_another_takes_over_within_ten_seconds()
    {
        await using var one = ChildProcess.Start<SubscribingProcess>([_store.Database.ConnectionString, "one"]);
        await AppendAsync(100);
        await Applied.ReachesAsync(_store, OneLane, await HeadAsync());
        await using var two = ChildProcess.Start<SubscribingProcess>([_store.Database.ConnectionString, "two"]);
        Assert.Equal("running", await two.ReadLineAsync(Cancelled));

        await AppendAsync(200);
        await one.KillAsync(Cancelled);
        var killed = Stopwatch.GetTimestamp();
        await Eventually.UntilAsync(async () =>
            await _store.QueryAsync<bool>(
                "select exists(select from public.applied where instance = 'two' and subscription = 'test.one-lane')"
            )
            || await _store.QueryAsync<bool>(
                "select epoch > 1 from platform.subscriptions where name = 'test.one-lane'"
            )
        );
        // The promise, which users plan with; a lease of six seconds leaves a wide margin.
        Assert.InRange(Stopwatch.GetElapsedTime(killed), TimeSpan.Zero, TimeSpan.FromSeconds(10));

        await AppendAsync(100);
        await ReachHeadAndCheckAsync();
    }

    [Fact]
    public async Task A_holder_that_was_frozen_cannot_apply_anything_when_it_wakes_up()
    {
        await using var frozen = ChildProcess.Start<SubscribingProcess>([_store.Database.ConnectionString, "frozen"]);
        await AppendAsync(100);
        await Applied.ReachesAsync(_store, OneLane, await HeadAsync());
        var appending = AppendAsync(1000);
        await SignalAsync("-STOP", frozen.Id);
        await appending;
        await using var two = ChildProcess.Start<SubscribingProcess>([_store.Database.ConnectionString, "two"]);
        await ReachHeadAndCheckAsync();
        var before = (await Applied.ReadAsync(_store, OneLane)).Count(a => a.Instance == "frozen");

        await SignalAsync("-CONT", frozen.Id);
        await AppendAsync(200);
        // It must have had time to find out: it asks for its leases again.
        Assert.Equal("running", await two.ReadLineAsync(Cancelled));
        await ReachHeadAndCheckAsync();
        await two.KillAsync(Cancelled);
        await AppendAsync(50);
        await ReachHeadAndCheckAsync();

        // It went on only as the new holder, after the other one had died.
        var applied = await Applied.ReadAsync(_store, OneLane);
        Assert.True(applied.Count(a => a.Instance == "frozen") > before);
        var woken = applied.FindLastIndex(a => a.Instance == "two");
        Assert.Equal(before, applied.Take(woken).Count(a => a.Instance == "frozen"));
        Assert.Equal(
            3,
            await _store.QueryAsync<long>("select epoch from platform.subscriptions where name = 'test.one-lane'")
        );
    }

    [Fact]
    public async Task A_handler_that_outlives_its_lease_cannot_commit()
    {
        // A single one: between two events the lane would notice.
        await AppendAsync(1);
        var deaf = new Gate();
        await using var one = new RunningSubscriptions(_store, [typeof(OnNotedBehindGate)], new Applier("one"), deaf);
        await one.StartAsync();
        await deaf.Reached;
        await using var other = new TestStore(_store.Database.ConnectionString);
        var open = new Gate();
        open.Open();
        await using var two = new RunningSubscriptions(other, [typeof(OnNotedBehindGate)], new Applier("two"), open);
        await two.StartAsync();
        await Eventually.UntilAsync(async () =>
        {
            // The successor does not know the session of whom it follows, so it cannot end it: nothing but the epoch is in the way.
            await _store.ExecuteAsync("update platform.subscription_lanes set session_pid = null where epoch = 1");
            await _store.ExecuteAsync(
                "update platform.subscriptions set lease_until = now() - interval '1 second' where epoch = 1"
            );
            return await _store.QueryAsync<long>("select epoch from platform.subscriptions") == 2;
        });
        await Applied.ReachesAsync(_store, "test.gate", await HeadAsync());

        deaf.Open();
        await one.DisposeAsync();
        await Applied.CheckAsync(_store, "test.gate", "test.noted");
        Assert.All(await Applied.ReadAsync(_store, "test.gate"), a => Assert.Equal("two", a.Instance));
    }

    [Fact]
    public async Task Two_instances_and_four_lanes_apply_each_event_once_and_in_order_within_its_stream()
    {
        await using var other = new TestStore(_store.Database.ConnectionString);
        await using var one = await StartAsync(_store, "one", typeof(OnNotedInFourLanes));
        await using var two = await StartAsync(other, "two", typeof(OnNotedInFourLanes));
        await Task.WhenAll(AppendAsync(2000), AppendElsewhereAsync(other, 1000));

        await Applied.ReachesAsync(_store, Lanes, await HeadAsync());
        await Applied.CheckAsync(_store, Lanes, "test.noted");
        Assert.Equal(
            4,
            await _store.QueryAsync<long>("select count(*) from platform.subscription_lanes where name = 'test.lanes'")
        );
    }

    [Fact]
    public async Task A_changed_number_of_lanes_loses_and_repeats_nothing()
    {
        await AppendAsync(500);
        for (var round = 0; round < 4; round++)
        {
            var type = round % 2 == 0 ? typeof(OnNotedInFourLanes) : typeof(OnNotedInThreeLanes);
            await using (await StartAsync(_store, $"{round}", type))
            {
                await AppendAsync(300);
                // Somewhere in the middle, with lanes that have come to different positions.
                var goal = await HeadAsync() - 400;
                await Eventually.UntilAsync(async () =>
                    await _store.QueryAsync<long>("select coalesce(max(position), 0) from public.applied") >= goal
                );
            }
            await AppendAsync(100);
        }
        await using var last = await StartAsync(_store, "last", typeof(OnNotedInThreeLanes));

        await Applied.ReachesAsync(_store, Lanes, await HeadAsync());
        await Eventually.UntilAsync(async () =>
            await _store.QueryAsync<int>("select lanes from platform.subscriptions where name = 'test.lanes'") == 3
        );
        await Applied.CheckAsync(_store, Lanes, "test.noted");
    }

    [Fact]
    public async Task A_paused_subscription_rests_on_all_instances_and_goes_on_where_it_was()
    {
        await using var other = new TestStore(_store.Database.ConnectionString);
        await using var one = await StartAsync(_store, "one", typeof(OnAnything));
        await using var two = await StartAsync(other, "two", typeof(OnAnything));
        await AppendAsync(100);
        await Applied.ReachesAsync(_store, OneLane, await HeadAsync());

        await _store.ExecuteAsync("update platform.subscriptions set paused_at = now() where name = 'test.one-lane'");
        await Eventually.UntilAsync(async () =>
            await _store.QueryAsync<bool>(
                "select holder is null from platform.subscriptions where name = 'test.one-lane'"
            )
        );
        var rested = await Applied.ReadAsync(_store, OneLane);
        await AppendAsync(100);
        // Another subscription, of the same runner, is not paused: what it has come past, this one would have too.
        await using var three = await StartAsync(other, "three", typeof(OnNotedInFourLanes));
        await Applied.ReachesAsync(_store, Lanes, await HeadAsync());
        Assert.Equal(rested, await Applied.ReadAsync(_store, OneLane));

        await _store.ExecuteAsync("update platform.subscriptions set paused_at = null where name = 'test.one-lane'");
        await Applied.ReachesAsync(_store, OneLane, await HeadAsync());
        await Applied.CheckAsync(_store, OneLane, "test.noted", "test.stepped");
    }

    [Fact]
    public async Task Positions_without_an_event_for_it_are_passed_over_quickly()
    {
        await _store.AppendAsync(Guid.CreateVersion7(), 0, [.. Enumerable.Range(0, 30_000).Select(_ => new Ignored())]);
        await AppendAsync(1);
        await using var one = await StartAsync(_store, "one", typeof(OnAnything));

        await Applied.ReachesAsync(_store, OneLane, await HeadAsync());
        await Applied.CheckAsync(_store, OneLane, "test.noted", "test.stepped");
    }

    [Fact]
    public async Task The_lag_of_a_subscription_that_rests_is_measured()
    {
        var lags = new ConcurrentQueue<long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument is { Meter.Name: MessagingMeters.MeterName, Name: "verbatim.subscription.lag" })
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>(
            (_, lag, tags, _) =>
            {
                if (tags.ToArray().Any(t => t.Value is "test.measured"))
                    lags.Enqueue(lag);
            }
        );
        listener.Start();
        await AppendAsync(7);
        await _store.ExecuteAsync(
            "insert into platform.subscriptions (name, paused_at) values ('test.measured', now())"
        );
        await using var running = await StartAsync(_store, "one", typeof(OnNotedMeasured));

        await Eventually.UntilAsync(() =>
        {
            listener.RecordObservableInstruments();
            return lags.Contains(7);
        });
        await _store.ExecuteAsync("update platform.subscriptions set paused_at = null");
        await Eventually.UntilAsync(() =>
        {
            listener.RecordObservableInstruments();
            return lags.LastOrDefault(-1) == 0;
        });
    }

    private async Task ReachHeadAndCheckAsync()
    {
        foreach (var name in (string[])[OneLane, Lanes])
            await Applied.ReachesAsync(_store, name, await HeadAsync());
        await Applied.CheckAsync(_store, OneLane, "test.noted", "test.stepped");
        await Applied.CheckAsync(_store, Lanes, "test.noted");
    }

    private Task<long> HeadAsync() => _store.Events.ReadHeadAsync(Cancelled);

    private async Task AppendAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var stream = _streams[i % _streams.Length];
            var version = _versions.GetValueOrDefault(stream);
            await _store.AppendAsync(stream, version, i % 5 == 4 ? new Stepped() : new Noted($"{i}"));
            _versions[stream] = version + 1;
        }
    }

    private static async Task AppendElsewhereAsync(TestStore store, int count)
    {
        var stream = Guid.CreateVersion7();
        for (var i = 0; i < count; i++)
            await store.AppendAsync(stream, i, new Noted($"{i}"));
    }

    private static async Task<RunningSubscriptions> StartAsync(TestStore store, string name, params Type[] types)
    {
        var running = new RunningSubscriptions(store, types, new Applier(name));
        await running.StartAsync();
        return running;
    }

    private static async Task SignalAsync(string signal, int process)
    {
        using var kill = Process.Start("kill", [signal, process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(Cancelled);
        Assert.Equal(0, kill.ExitCode);
    }
}

/// <summary>Where a handler waits, and hears nothing.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Reached => _reached.Task;

    public void Open() => _opened.TrySetResult();

    public Task PassAsync()
    {
        _reached.TrySetResult();
        return _opened.Task;
    }
}

[Subscription("test.gate")]
internal static class OnNotedBehindGate
{
    public static async Task HandleAsync(Noted noted, Message message, Applier applier, Gate gate)
    {
        await gate.PassAsync();
        await applier.ApplyAsync("test.gate", noted.Text, message, CancellationToken.None);
    }
}

[Subscription("test.measured")]
internal static class OnNotedMeasured
{
    public static Task HandleAsync(Noted _) => Task.CompletedTask;
}

/// <summary>An event that nobody in these tests listens to.</summary>
[EventType("test.ignored")]
internal sealed record Ignored : IEvent;
