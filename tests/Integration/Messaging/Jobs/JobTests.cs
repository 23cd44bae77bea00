using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Platform.Sweeping;
using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging.Jobs;

public sealed class JobTests(SharedPostgres server) : IAsyncLifetime
{
    private readonly Worker _worker = new("one");
    private TestStore _store = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = new TestStore(await MigratedDatabase.CreateAsync(server));
        await _store.ExecuteAsync(Worker.Schema);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_job_is_enqueued_with_the_events_or_not_at_all()
    {
        var stream = Guid.CreateVersion7();
        var stored = await EnqueueAsync(stream, 0, new Chore(1));
        var refused = await EnqueueAsync(stream, 5, new Chore(2));
        Assert.Null(stored.Conflict);
        Assert.NotNull(refused.Conflict);

        await using (var connection = await _store.Database.Writes.OpenConnectionAsync(Cancelled))
        {
            await using var transaction = await connection.BeginTransactionAsync(Cancelled);
            Assert.True(
                await RunningJobs.Enqueuer.EnqueueAsync(transaction, TestStore.Context, new Chore(3), null, Cancelled)
            );
            await transaction.RollbackAsync(Cancelled);
        }
        await using var running = await StartAsync();
        await FinishAsync();

        Assert.Equal([1L], await WorkedAsync());
        Assert.Equal(1, await _store.QueryAsync<long>("select count(*) from platform.jobs"));
    }

    [Fact]
    public async Task A_job_that_fails_is_tried_again_and_its_end_is_recorded_once()
    {
        await EnqueueAsync(new Chore(1, "fails once"));
        await using var running = await StartAsync();
        await FinishAsync();

        Assert.Equal([1L, 1], _worker.Begun);
        Assert.Equal([1L], await WorkedAsync());
        Assert.Equal("done 2 -", await StatesAsync());
    }

    [Fact]
    public async Task A_job_that_always_fails_is_dead_and_says_why_and_leaves_no_trace()
    {
        await EnqueueAsync(new Chore(1, "fails"));
        await EnqueueAsync(new Chore(2));
        await using var running = await StartAsync();
        await FinishAsync();

        Assert.Equal([2L], await WorkedAsync());
        Assert.Equal("dead 3 InvalidOperationException: Number 1 fails. | done 1 -", await StatesAsync());
    }

    [Fact]
    public async Task A_payload_that_cannot_be_read_is_dead_at_once()
    {
        await EnqueueAsync(new Chore(1));
        await _store.ExecuteAsync("""update platform.jobs set payload = '{"number":"one"}'""");
        await using var running = await StartAsync();
        await FinishAsync();

        Assert.Equal(
            "dead 1 JsonException: The stored JSON does not fit its shape (line 1, byte 16).",
            await StatesAsync()
        );
    }

    [Fact]
    public async Task Jobs_are_done_by_priority_and_then_by_their_due_time_and_not_before_it()
    {
        var now = TimeProvider.System.GetUtcNow();
        await EnqueueAsync(new Errand(3), new JobOptions { DueAt = now.AddMinutes(-1) });
        await EnqueueAsync(new Errand(2), new JobOptions { DueAt = now.AddMinutes(-2) });
        await EnqueueAsync(new Errand(9), new JobOptions { DueAt = now.AddHours(1), Priority = 9 });
        await EnqueueAsync(new Errand(1), new JobOptions { Priority = 1 });
        await EnqueueAsync(new Errand(4), new JobOptions { Priority = -1, DueAt = now.AddMinutes(-3) });
        await using var running = await StartAsync();
        await Eventually.UntilAsync(async () => (await WorkedAsync()).Count == 4);

        Assert.Equal([1L, 2, 3, 4], _worker.Begun);
        Assert.Equal(1, _worker.MostTogether);
        Assert.Equal("waiting", await _store.QueryAsync<string>("select status from platform.jobs where priority = 9"));

        await _store.ExecuteAsync("update platform.jobs set due_at = now() where priority = 9");
        await Eventually.UntilAsync(async () => (await WorkedAsync()).Count == 5);
    }

    [Fact]
    public async Task Of_jobs_with_one_key_only_one_is_not_finished()
    {
        var once = new JobOptions { UniqueKey = "the same" };
        await EnqueueAsync(new Chore(1, "waits"), once);
        await EnqueueAsync(new Chore(2), once);
        await EnqueueAsync(new Errand(3), once);
        await using var running = await StartAsync();
        await Eventually.UntilAsync(() => _worker.Begun.Contains(1));
        await EnqueueAsync(new Chore(4), once);
        _worker.Gate.SetResult();
        await FinishAsync();
        await EnqueueAsync(new Chore(5), once);
        await FinishAsync();

        Assert.Equal([1L, 3, 5], (await WorkedAsync()).Order());
    }

    [Fact]
    public async Task A_job_that_waits_can_be_cancelled_and_one_that_runs_stops_within_a_second_or_two()
    {
        await EnqueueAsync(new Chore(1, "waits"));
        await EnqueueAsync(new Chore(2), new JobOptions { DueAt = TimeProvider.System.GetUtcNow().AddHours(1) });
        await using var running = await StartAsync();
        await Eventually.UntilAsync(() => _worker.Begun.Contains(1));

        foreach (
            var job in await new JobRecords(_store.Database).ListAsync(null, null, null, null, null, 10, Cancelled)
        )
            await WriteAsync(JobRecords.Cancel(job));
        await FinishAsync();

        Assert.Equal([1L], _worker.Stopped);
        Assert.Empty(await WorkedAsync());
        Assert.Equal("cancelled 1 - | cancelled 0 -", await StatesAsync());
    }

    [Fact]
    public async Task A_dead_job_can_be_retried_or_discarded_and_nothing_else()
    {
        var records = new JobRecords(_store.Database);
        await EnqueueAsync(new Chore(1, "fails"));
        await using var running = await StartAsync();
        await FinishAsync();
        var dead = (await records.ListAsync(null, null, null, "dead", null, 10, Cancelled))[0];
        await Assert.ThrowsAsync<PostgresException>(() => WriteAsync(JobRecords.Cancel(dead)));

        await _store.ExecuteAsync("""update platform.jobs set payload = '{"number":1,"kind":""}'""");
        await WriteAsync(JobRecords.Retry(dead));
        await FinishAsync();
        Assert.Equal("done 1 -", await StatesAsync());

        var late = await Assert.ThrowsAsync<PostgresException>(() => WriteAsync(JobRecords.Discard(dead)));
        Assert.Equal(JobRecords.HasGoneOn, late.SqlState);
    }

    [Fact]
    public async Task At_shutdown_a_job_may_end_within_the_limit()
    {
        await EnqueueAsync(new Chore(1, "waits"));
        var running = await StartAsync(JobSettings.Default);
        await Eventually.UntilAsync(() => _worker.Begun.Contains(1));
        var stopping = running.DisposeAsync().AsTask();
        await EnqueueAsync(new Chore(2));
        _worker.Gate.SetResult();
        await stopping;

        Assert.Equal([1L], await WorkedAsync());
        Assert.Equal("done 1 - | waiting 0 -", await StatesAsync());
    }

    [Theory]
    [InlineData("waits")]
    [InlineData("deaf")]
    public async Task A_job_that_does_not_end_within_the_limit_is_another_instances_at_once(string kind)
    {
        await EnqueueAsync(new Chore(1, kind));
        var running = await StartAsync();
        await Eventually.UntilAsync(() => _worker.Begun.Contains(1));
        await running.DisposeAsync();
        Assert.Equal("waiting 0 -", await StatesAsync());

        var two = new Worker("two");
        two.Gate.SetResult();
        await using var other = new RunningJobs(_store, two);
        await other.StartAsync();
        await FinishAsync();
        // The deaf one goes on, and comes too late.
        _worker.Gate.TrySetResult();
        await EnqueueAsync(new Chore(2));
        await FinishAsync();

        Assert.Equal([1L, 2], await WorkedAsync());
        Assert.Equal("two", await _store.QueryAsync<string>("select instance from public.worked where number = 1"));
    }

    [Fact]
    public async Task All_instances_together_keep_to_the_limit_of_a_queue()
    {
        var settings = JobSettings.Default with
        {
            Drain = TimeSpan.Zero,
            Queues = new Dictionary<string, QueueSettings>(StringComparer.Ordinal) { ["default"] = new(8, 3) },
        };
        var both = new Worker("both");
        await using var one = new RunningJobs(_store, both, settings);
        await using var two = new RunningJobs(_store, both, settings);
        for (var i = 0; i < 60; i++)
            await EnqueueAsync(new Chore(i, "takes a little"));
        await one.StartAsync();
        await two.StartAsync();
        await FinishAsync();

        Assert.Equal(60, (await WorkedAsync()).Distinct().Count());
        Assert.InRange(both.MostTogether, 1, 3);
    }

    [Fact]
    public async Task A_queue_that_another_instance_counts_for_long_keeps_no_other_queue_waiting()
    {
        var settings = JobSettings.Default with
        {
            Drain = TimeSpan.Zero,
            Queues = new Dictionary<string, QueueSettings>(StringComparer.Ordinal) { ["default"] = new(8, 3) },
        };
        await EnqueueAsync(new Chore(1));
        await EnqueueAsync(new Errand(2));
        await EnqueueAsync(new Errand(3));
        await using var other = await _store.Database.Dedicated.OpenConnectionAsync(Cancelled);
        await using (
            var count = new NpgsqlCommand(
                "begin; select pg_advisory_xact_lock(hashtextextended('verbatim.jobs.default', 0))",
                other
            )
        )
            await count.ExecuteNonQueryAsync(Cancelled);

        // One errand at a time: the second needs another look at the queues.
        await using var running = await StartAsync(settings);
        await Eventually.UntilAsync(async () => (await WorkedAsync()).Count == 2);
        Assert.Equal([2L, 3], await WorkedAsync());

        await other.CloseAsync();
        await FinishAsync();
        Assert.Equal([2L, 3, 1], await WorkedAsync());
    }

    [Fact]
    public async Task Jobs_of_instances_that_are_killed_end_once()
    {
        const int jobs = 300;
        for (var i = 0; i < jobs; i++)
            await EnqueueAsync(new Chore(i, "takes a little"));
        await using var survivor = ChildProcess.Start<WorkingProcess>([_store.Database.ConnectionString, "survivor"]);
        for (var round = 0; round < 3; round++)
        {
            await using var victim = ChildProcess.Start<WorkingProcess>([
                _store.Database.ConnectionString,
                $"victim {round}",
            ]);
            Assert.Equal("running", await victim.ReadLineAsync(Cancelled));
            var goal = (await WorkedAsync()).Count + 20;
            await Eventually.UntilAsync(async () => (await WorkedAsync()).Count >= Math.Min(goal, jobs));
            await victim.KillAsync(Cancelled);
        }
        await FinishAsync();

        Assert.Equal(Enumerable.Range(0, jobs).Select(i => (long)i), (await WorkedAsync()).Order());
        Assert.Equal(jobs, await _store.QueryAsync<long>("select count(*) from platform.jobs where status = 'done'"));
    }

    [Fact]
    public async Task What_is_finished_is_removed_after_some_days_and_what_is_dead_is_not()
    {
        foreach (var kind in (string[])["", "fails", ""])
            await EnqueueAsync(new Chore(1, kind));
        await using var running = await StartAsync();
        await FinishAsync();
        using var sweeper = new Sweeper(
            _store.Database,
            [new FinishedJobs(JobSettings.Default)],
            TimeProvider.System,
            NullLogger<Sweeper>.Instance
        );
        await _store.ExecuteAsync("update platform.jobs set finished_at = now() - interval '6 days 23 hours'");
        await sweeper.SweepAsync(Sweeper.BatchSize, Cancelled);
        Assert.Equal(3, await _store.QueryAsync<long>("select count(*) from platform.jobs"));

        await _store.ExecuteAsync("update platform.jobs set finished_at = now() - interval '7 days 1 hour'");
        await sweeper.SweepAsync(Sweeper.BatchSize, Cancelled);
        Assert.Equal("dead 3 InvalidOperationException: Number 1 fails.", await StatesAsync());
    }

    [Theory]
    [InlineData("Jobs:DrainSeconds", "-1", "valid is a whole number from 0 to 600")]
    [InlineData("Jobs:KeepDays", "0", "valid is a whole number from 1 to 3650")]
    [InlineData("Jobs:Queues:previews:Limit", "many", "Jobs:Queues:previews:Limit is 'many'")]
    public void A_setting_that_is_wrong_is_told(string name, string value, string words)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(name, value)]).Build();

        var refused = Assert.Throws<SettingException>(() => JobSettings.Read(configuration));
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mistakes_are_told_clearly()
    {
        static void AssertSays<TException>(string words, Action act)
            where TException : Exception =>
            Assert.Contains(words, Assert.Throws<TException>(act).Message, StringComparison.Ordinal);

        AssertSays<InvalidOperationException>("one static HandleAsync", () => _ = new JobCatalog([typeof(NoHandler)]));
        AssertSays<InvalidOperationException>(
            "valid is module.what-it-does",
            () => _ = new JobCatalog([typeof(NoName)])
        );
        AssertSays<InvalidOperationException>(
            "is the payload of 'test.chore' and 'test.same'",
            () => _ = new JobCatalog([typeof(DoChore), typeof(SamePayload)])
        );
        AssertSays<InvalidOperationException>(
            "No [Job] of a module",
            () => RunningJobs.Enqueuer.Enqueue(TestStore.Context, "text")
        );
        AssertSays<ArgumentException>(
            "at most 8192 are kept",
            () => RunningJobs.Enqueuer.Enqueue(TestStore.Context, new Chore(1, new string('x', 9000)))
        );
    }

    private Task<AppendResult> EnqueueAsync<T>(T payload, JobOptions? options = null)
        where T : class => EnqueueAsync(Guid.CreateVersion7(), 0, payload, options);

    private async Task<AppendResult> EnqueueAsync<T>(Guid stream, long version, T payload, JobOptions? options = null)
        where T : class =>
        await _store.Events.AppendAsync(
            TestStore.Context,
            [new StreamEvents("test-plain", stream, version, [new Noted("enqueued")])],
            [RunningJobs.Enqueuer.Enqueue(TestStore.Context, payload, options)],
            Cancelled
        );

    private Task<AppendResult> WriteAsync(SqlWrite write) =>
        _store.Events.AppendAsync(
            TestStore.Context,
            [new StreamEvents("test-plain", Guid.CreateVersion7(), 0, [new Noted("decided")])],
            [write],
            Cancelled
        );

    private async Task<RunningJobs> StartAsync(JobSettings? settings = null)
    {
        var running = new RunningJobs(_store, _worker, settings);
        await running.StartAsync();
        return running;
    }

    private Task FinishAsync() =>
        Eventually.UntilAsync(async () =>
            await _store.QueryAsync<bool>(
                "select not exists(select from platform.jobs where status in ('waiting', 'running'))"
            )
        );

    private async Task<List<long>> WorkedAsync()
    {
        await using var command = _store.Database.Writes.CreateCommand("select number from public.worked order by n");
        await using var reader = await command.ExecuteReaderAsync(Cancelled);
        var numbers = new List<long>();
        while (await reader.ReadAsync(Cancelled))
            numbers.Add(reader.GetInt64(0));
        return numbers;
    }

    private Task<string> StatesAsync() =>
        _store.QueryAsync<string>(
            "select string_agg(format('%s %s %s', status, attempts, coalesce(reason, '-')), ' | ' order by id) from platform.jobs"
        );

    [Job("test.none")]
    private static class NoHandler;

    [Job("Test chore")]
    private static class NoName
    {
        public static Task HandleAsync(Chore chore) => Task.CompletedTask;
    }

    [Job("test.same")]
    private static class SamePayload
    {
        public static Task HandleAsync(Chore chore) => Task.CompletedTask;
    }
}
