using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Support;
using static Verbatim.Tests.Integration.Support.PostgresProxy.Breakage;

namespace Verbatim.Tests.Integration.Events;

/// <summary>A connection that breaks around a commit: each append is stored exactly once, and its caller hears the truth.</summary>
public sealed class LostConnectionTests(MigratedDatabase database) : IClassFixture<MigratedDatabase>, IAsyncLifetime
{
    private readonly PostgresProxy _proxy = new(database.ConnectionString);
    private readonly TestStore _direct = new(database.ConnectionString);
    private TestStore _store = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        // A session whose client is cut off keeps the log's lock until the server throws it out, 10 s later; on a busy machine the
        // default patience is then too little.
        _store = new TestStore(_proxy.ConnectionString, patience: TimeSpan.FromSeconds(60));
        // So that the writer is connected, and knows the head.
        await _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("first"));
        await _direct.ExecuteAsync("create table if not exists public.marks (id uuid)");
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _direct.DisposeAsync();
        await _proxy.DisposeAsync();
    }

    [Fact]
    public async Task A_request_that_never_arrived_is_sent_again()
    {
        var id = Guid.CreateVersion7();
        var broken = _proxy.BreakNext(OfRequest);

        var result = await _store.AppendAsync(id, 0, new Noted("once"));

        Assert.True(broken.IsCompleted);
        Assert.Equal(result.LastPosition, Assert.Single(await _direct.ReadAsync(id)).Position);
        LogChecks.AssertSound(await _direct.ReadAllAsync());
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_found_and_not_repeated()
    {
        var id = Guid.CreateVersion7();
        var broken = _proxy.BreakNext(OfAnswer);

        var result = await _store.Events.AppendAsync(
            TestStore.Context,
            [new StreamEvents("test-plain", id, 0, [new Noted("once"), new Noted("and once")])],
            [new SqlWrite("insert into public.marks values ($1)", id)],
            Cancelled
        );

        Assert.True(broken.IsCompleted);
        Assert.Null(result.Conflict);
        var stored = await _direct.ReadAsync(id);
        Assert.Equal(2, stored.Count);
        Assert.Equal((stored[1].Position, stored[1].Time), (result.LastPosition, result.Time));
        Assert.Equal(1, await _direct.QueryAsync<long>($"select count(*) from public.marks where id = '{id}'"));
        // What the writer remembers of the stream is right too.
        Assert.Null((await _store.AppendAsync(id, 2, new Noted("next"))).Conflict);
    }

    [Fact]
    public async Task A_lost_commit_is_found_behind_what_others_wrote_since()
    {
        var id = Guid.CreateVersion7();
        await _store.AppendAsync(id, 0, new Noted("1"));
        // The writer must not come back before the other has written.
        _proxy.Pause();
        var broken = _proxy.BreakNext(OfAnswer);

        var append = _store.AppendAsync(id, 1, new Noted("2"));
        await broken;
        Assert.Null((await _direct.AppendAsync(id, 2, new Noted("3"))).Conflict);
        _proxy.Resume();

        var result = await append;
        Assert.Null(result.Conflict);
        var stored = await _direct.ReadAsync(id);
        Assert.Equal((3, result.LastPosition), (stored.Count, stored[1].Position));
        // And it does not take its own event for the last one.
        Assert.Equal(new VersionConflict(id, 2, 3), (await _store.AppendAsync(id, 2, new Noted("x"))).Conflict);
        Assert.Null((await _store.AppendAsync(id, 3, new Noted("4"))).Conflict);
    }

    [Fact]
    public async Task A_request_that_arrives_late_does_nothing()
    {
        var id = Guid.CreateVersion7();
        var broken = _proxy.BreakNext(LateRequest);

        var result = await _store.AppendAsync(id, 0, new Noted("once"));
        Assert.True(broken.IsCompleted);
        await _proxy.ReleaseAsync();

        Assert.Equal(result.LastPosition, Assert.Single(await _direct.ReadAsync(id)).Position);
        Assert.Null((await _store.AppendAsync(id, 1, new Noted("next"))).Conflict);
        LogChecks.AssertSound(await _direct.ReadAllAsync());
    }

    [Theory]
    [InlineData(OfRequest, 1)]
    [InlineData(OfAnswer, 1)]
    [InlineData(OfRequest, 200)]
    [InlineData(OfAnswer, 200)]
    internal async Task Each_step_of_a_transaction_may_be_the_one_that_breaks(
        PostgresProxy.Breakage breakage,
        int count
    )
    {
        // A small batch is one request; a large one is several (begin and lock, COPY, its data, snapshots and commit), and each of
        // them is hit in some round.
        for (var round = 0; round < 8; round++)
        {
            var ids = Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7()).ToArray();
            Task<AppendResult[]> appends;
            await using (await _direct.LockLogAsync())
            {
                var first = _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("waits"));
                appends = Task.WhenAll(ids.Select(id => _store.AppendAsync(id, 0, new Noted($"{round}"))));
                _ = _proxy.BreakNext(breakage, after: round);
            }

            var results = await appends;
            _ = _proxy.BreakNext(None);
            foreach (var (id, result) in ids.Zip(results))
                Assert.Equal(result.LastPosition, Assert.Single(await _direct.ReadAsync(id)).Position);
        }
        LogChecks.AssertSound(await _direct.ReadAllAsync());
    }

    [Fact]
    public async Task A_server_that_ends_its_sessions_is_met_again()
    {
        for (var i = 0; i < 10; i++)
        {
            var appends = Enumerable
                .Range(0, 20)
                .Select(_ => _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("")))
                .ToList();
            await _direct.ExecuteAsync(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            );
            foreach (var append in appends)
                Assert.Null((await append).Conflict);
        }
        LogChecks.AssertSound(await _direct.ReadAllAsync());
    }

    [Fact]
    public async Task An_outcome_that_cannot_be_asked_for_is_called_unknown()
    {
        var proxy = new PostgresProxy(database.ConnectionString);
        await using var store = new TestStore(proxy.ConnectionString, patience: TimeSpan.FromMilliseconds(500));
        await store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("first"));
        var id = Guid.CreateVersion7();

        var broken = proxy.BreakNext(OfAnswer);
        var append = store.AppendAsync(id, 0, new Noted("stored"));
        await broken;
        await proxy.DisposeAsync();

        var e = await Assert.ThrowsAsync<LogUnavailableException>(() => append);
        Assert.True(e.IsOutcomeUnknown);
        Assert.Single(await _direct.ReadAsync(id));
        // The next one has not begun.
        e = await Assert.ThrowsAsync<LogUnavailableException>(() => store.AppendAsync(id, 1, new Noted("")));
        Assert.False(e.IsOutcomeUnknown);
    }
}
