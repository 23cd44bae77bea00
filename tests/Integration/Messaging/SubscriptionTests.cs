using System.Collections.Concurrent;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging;

public sealed class SubscriptionTests(SharedPostgres server) : IAsyncLifetime
{
    private TestStore _store = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = new TestStore(await MigratedDatabase.CreateAsync(server));
        await _store.ExecuteAsync("create table public.handled (n bigserial, position bigint, runner text)");
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task Each_event_of_its_type_is_handled_once_and_in_order()
    {
        for (var i = 0; i < 30; i++)
            await AppendAsync(i % 3);
        await using var runner = await StartAsync("one");
        for (var i = 0; i < 30; i++)
            await AppendAsync(i % 3);

        await ReachesAsync(await _store.Events.ReadHeadAsync(Cancelled));
        Assert.Equal(await NotedPositionsAsync(), await HandledAsync());
    }

    [Fact]
    public async Task What_was_appended_here_is_not_asked_for_again_and_what_another_instance_appended_is()
    {
        await using var another = new TestStore(_store.Database.ConnectionString);
        await AppendAsync(0);
        await using var runner = await StartAsync("one");
        await ReachesAsync(1);
        var before = runner.Collector.FromMemory;
        await AppendAsync(0);
        await ReachesAsync(2);
        Assert.Equal(before + 1, runner.Collector.FromMemory);

        await another.AppendAsync(Guid.CreateVersion7(), 0, new Noted("elsewhere"));
        await ReachesAsync(3);
        Assert.Equal(before + 1, runner.Collector.FromMemory);

        await AppendAsync(0);
        await ReachesAsync(4);
        Assert.Equal(before + 2, runner.Collector.FromMemory);
        Assert.Equal([1L, 2, 3, 4], await HandledAsync());
    }

    [Fact]
    public async Task More_events_than_fit_into_one_transaction_are_all_handled()
    {
        await _store.AppendAsync(
            Guid.CreateVersion7(),
            0,
            [.. Enumerable.Range(0, 1300).Select(i => new Noted($"{i}"))]
        );
        await using var runner = await StartAsync("one");

        await ReachesAsync(1300);
        Assert.Equal(await NotedPositionsAsync(), await HandledAsync());
    }

    [Fact]
    public async Task Of_two_instances_one_runs_it_and_the_other_takes_over()
    {
        await using var one = await StartAsync("one");
        await AppendAsync(0);
        await ReachesAsync(1);
        one.Collector.Block();
        await AppendAsync(0);
        await one.Collector.Blocked;

        // The first one is in the middle of the second event, and stays there.
        await using var two = await StartAsync("two");
        await AcquiredByNobodyElseAsync();
        Assert.Equal([1L], await HandledAsync());

        // It ends without having finished: the other one does it.
        await one.DisposeAsync();
        await AppendAsync(0);
        await ReachesAsync(3);
        Assert.Equal([1L, 2, 3], await HandledAsync());
        Assert.Equal(
            "one,two,two",
            await _store.QueryAsync<string>("select string_agg(runner, ',' order by n) from public.handled")
        );
    }

    [Fact]
    public async Task Two_instances_under_load_handle_each_event_once()
    {
        await using var one = await StartAsync("one");
        await using var two = await StartAsync("two");
        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => AppendAsync(0)));

        await ReachesAsync(200);
        Assert.Equal(await NotedPositionsAsync(), await HandledAsync());
    }

    [Fact]
    public async Task A_handler_that_fails_is_tried_again_and_nothing_is_skipped_or_done_twice()
    {
        for (var i = 0; i < 5; i++)
            await AppendAsync(0);
        var collector = new Collector("one") { FailsAt = 3, Failures = 2 };
        await using var runner = await StartAsync(collector);

        await ReachesAsync(5);
        Assert.Equal([1L, 2, 3, 4, 5], await HandledAsync());
        // In the first transaction 1 and 2 came along; they were rolled back with it, and then done one by one.
        Assert.Equal([1L, 2, 3, 1, 2, 3, 3, 4, 5], collector.Seen);
    }

    [Fact]
    public async Task A_handler_that_always_fails_stays_where_it_is_and_leaves_no_trace()
    {
        await AppendAsync(0);
        await AppendAsync(0);
        var collector = new Collector("one") { FailsAt = 2, Failures = int.MaxValue };
        await using var runner = await StartAsync(collector);

        await collector.FailedAsync(4);
        Assert.Equal([1L], await HandledAsync());
        Assert.Equal(1, await PositionAsync());
        await Eventually.UntilAsync(async () =>
            await _store.QueryAsync<string>(
                "select failure from platform.subscription_lanes where failing_position = 2"
            ) == "InvalidOperationException: This handler fails."
        );
    }

    [Fact]
    public async Task A_handler_may_append_through_the_store()
    {
        await AppendAsync(0);
        var collector = new Collector("one") { Echo = _store };
        await using var runner = await StartAsync(collector);

        await ReachesAsync(2);
        Assert.Single(await _store.ReadAllAsync(after: 1));
    }

    [Fact]
    public void Mistakes_in_a_declaration_are_told_clearly()
    {
        void AssertSays(string words, params Type[] types) =>
            Assert.Contains(
                words,
                Assert
                    .Throws<InvalidOperationException>(() => _ = new SubscriptionCatalog(types, _store.Catalog))
                    .Message,
                StringComparison.Ordinal
            );

        AssertSays("without a static HandleAsync", typeof(OnNothing));
        AssertSays("take an event as its first parameter", typeof(OnText));
        AssertSays("'test.collect' is declared 2 times", typeof(OnNoted), typeof(OnNotedToo));
        AssertSays("in no module", typeof(OnUnknown));
        AssertSays("two HandleAsync methods for Noted", typeof(OnNotedTwice));
        AssertSays("has Lanes = 65; valid is 1 to 64", typeof(OnTooManyLanes));
        AssertSays("has BatchSize = 0; valid is 1 to 10000", typeof(OnNothingAtOnce));
    }

    private async Task AppendAsync(int kind)
    {
        IEvent @event = kind == 0 ? new Noted("x") : new Stepped();
        await _store.AppendAsync(Guid.CreateVersion7(), 0, @event);
    }

    private async Task<List<long>> NotedPositionsAsync() =>
        (await _store.ReadAllAsync()).Where(e => e.Type == "test.noted").Select(e => e.Position).ToList();

    private async Task<List<long>> HandledAsync()
    {
        await using var command = _store.Database.Writes.CreateCommand(
            "select position from public.handled order by n"
        );
        await using var reader = await command.ExecuteReaderAsync(Cancelled);
        var handled = new List<long>();
        while (await reader.ReadAsync(Cancelled))
            handled.Add(reader.GetInt64(0));
        return handled;
    }

    private Task<long> PositionAsync() =>
        _store.QueryAsync<long>(
            "select coalesce((select position from platform.subscription_positions where name = 'test.collect'), -1)"
        );

    // The lease was renewed, while the other one was looking for it.
    private async Task AcquiredByNobodyElseAsync()
    {
        const string until = "select lease_until from platform.subscriptions where name = 'test.collect'";
        for (var renewals = 0; renewals < 2; renewals++)
        {
            var before = await _store.QueryAsync<DateTime>(until);
            await Eventually.UntilAsync(async () => await _store.QueryAsync<DateTime>(until) > before);
        }
        Assert.Equal(
            1,
            await _store.QueryAsync<long>("select epoch from platform.subscriptions where name = 'test.collect'")
        );
    }

    private Task ReachesAsync(long position) => Eventually.UntilAsync(async () => await PositionAsync() >= position);

    private Task<Runner> StartAsync(string name) => StartAsync(new Collector(name));

    private async Task<Runner> StartAsync(Collector collector)
    {
        var runner = new Runner(_store, collector);
        await runner.StartAsync();
        return runner;
    }

    private sealed class Runner(TestStore store, Collector collector) : IAsyncDisposable
    {
        private readonly RunningSubscriptions _running = new(store, [typeof(OnNoted)], collector);

        public Collector Collector { get; } = collector;

        public Task StartAsync() => _running.StartAsync();

        public ValueTask DisposeAsync() => _running.DisposeAsync();
    }

    internal sealed class Collector(string runner)
    {
        private readonly TaskCompletionSource _blocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _blocks;
        private int _failed;
        private int _fromMemory;

        /// <summary>How many had only just been appended here, and were not read from the log.</summary>
        public int FromMemory => Volatile.Read(ref _fromMemory);

        public long FailsAt { get; init; }

        public int Failures { get; init; }

        public TestStore? Echo { get; init; }

        public ConcurrentQueue<long> Seen { get; } = new();

        public Task Blocked => _blocked.Task;

        public void Block() => _blocks = true;

        public Task FailedAsync(int times) =>
            Eventually.UntilAsync(() => Task.FromResult(Volatile.Read(ref _failed) >= times));

        public async Task HandleAsync(Message message, CancellationToken cancellationToken)
        {
            var position = message.Recorded.Position;
            Seen.Enqueue(position);
            if (message.Recorded.Original is not null)
                Interlocked.Increment(ref _fromMemory);
            if (_blocks)
            {
                _blocked.TrySetResult();
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            await using var command = new NpgsqlCommand(
                "insert into public.handled (position, runner) values ($1, $2)",
                message.Transaction.Connection
            );
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = position });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = runner });
            await command.ExecuteNonQueryAsync(cancellationToken);
            if (position == FailsAt && Interlocked.Increment(ref _failed) <= Failures)
                throw new InvalidOperationException("This handler fails.");
            if (Echo is not null && position == 1)
                await Echo.AppendAsync(Guid.CreateVersion7(), 0, new Noted("echo"));
        }
    }

    [Subscription("test.collect")]
    private static class OnNoted
    {
        public static Task HandleAsync(
            Noted noted,
            Message message,
            Collector collector,
            CancellationToken cancellationToken
        ) => collector.HandleAsync(message, cancellationToken);
    }

    [Subscription("test.collect")]
    private static class OnNotedToo
    {
        public static Task HandleAsync(Noted noted) => Task.CompletedTask;
    }

    [Subscription("test.nothing")]
    private static class OnNothing;

    [Subscription("test.text")]
    private static class OnText
    {
        public static Task HandleAsync(string text) => Task.CompletedTask;
    }

    [Subscription("test.twice")]
    private static class OnNotedTwice
    {
        public static Task HandleAsync(Noted noted) => Task.CompletedTask;

        public static Task HandleAsync(Noted noted, Message message) => Task.CompletedTask;
    }

    [Subscription("test.lanes", Lanes = 65)]
    private static class OnTooManyLanes
    {
        public static Task HandleAsync(Noted noted) => Task.CompletedTask;
    }

    [Subscription("test.batch", BatchSize = 0)]
    private static class OnNothingAtOnce
    {
        public static Task HandleAsync(Noted noted) => Task.CompletedTask;
    }

    [Subscription("test.unknown")]
    private static class OnUnknown
    {
        public static Task HandleAsync(IEvent any) => Task.CompletedTask;
    }
}
