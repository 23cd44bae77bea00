using Verbatim.Tests.Integration.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Messaging;

public sealed class DeadLetterTests(SharedPostgres server) : IAsyncLifetime
{
    private const string Name = "test.one-lane";
    private readonly Guid _sick = Guid.CreateVersion7();
    private readonly Guid _well = Guid.CreateVersion7();
    private readonly Applier _applier = new("one");
    private TestStore _store = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = new TestStore(await MigratedDatabase.CreateAsync(server));
        await _store.ExecuteAsync(Applier.Schema);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_poison_message_parks_its_stream_and_the_others_go_on()
    {
        _applier.Failing["poison"] = int.MaxValue;
        await PoisonAsync();
        await using var running = await StartAsync();
        await ReachHeadAsync();

        Assert.Equal([1L, 3, 5, 7], await AppliedAsync());
        Assert.Equal(
            "2 waiting 3 InvalidOperationException: It fails at 'poison'. | 4 parked 0 - | 6 parked 0 -",
            await LettersAsync()
        );
        Assert.Equal(0, await _store.QueryAsync<int>("select failed_attempts from platform.subscription_lanes"));

        // Another instance knows it too.
        await running.DisposeAsync();
        await _store.AppendAsync(_sick, 3, new Noted("8"));
        await _store.AppendAsync(_well, 4, new Noted("9"));
        await using var next = await StartAsync();
        await ReachHeadAsync();
        Assert.Equal([1L, 3, 5, 7, 9], await AppliedAsync());
    }

    [Fact]
    public async Task A_retry_handles_the_event_and_then_what_is_parked_behind_it_in_order()
    {
        // Once among others, and then three times alone.
        _applier.Failing["poison"] = 4;
        await PoisonAsync();
        await using var running = await StartAsync();
        await ReachHeadAsync();
        Assert.Equal([1L, 3, 5, 7], await AppliedAsync());

        await DecideAsync("retrying");
        await Eventually.UntilAsync(async () => (await AppliedAsync()).Count == 7);
        await _store.AppendAsync(_sick, 3, new Noted("8"));
        await ReachHeadAsync();

        Assert.Equal([1L, 3, 5, 7, 2, 4, 6, 8], await AppliedAsync());
        Assert.Equal(
            "handled",
            await _store.QueryAsync<string>("select string_agg(distinct status, ' ') from platform.dead_letters")
        );
    }

    [Fact]
    public async Task A_retry_that_fails_leaves_all_as_it_was()
    {
        _applier.Failing["poison"] = int.MaxValue;
        await PoisonAsync();
        await using var running = await StartAsync();
        await ReachHeadAsync();

        await DecideAsync("retrying");
        await Eventually.UntilAsync(async () =>
            await WaitingAsync() == 1 && (await LettersAsync()).StartsWith("2 waiting 6", StringComparison.Ordinal)
        );

        Assert.Equal([1L, 3, 5, 7], await AppliedAsync());
        Assert.Equal(
            "2 waiting 6 InvalidOperationException: It fails at 'poison'. | 4 parked 0 - | 6 parked 0 -",
            await LettersAsync()
        );
    }

    [Fact]
    public async Task When_the_event_is_discarded_what_is_parked_behind_it_is_handled()
    {
        _applier.Failing["poison"] = int.MaxValue;
        await PoisonAsync();
        await using var running = await StartAsync();
        await ReachHeadAsync();

        await DecideAsync("discarding");
        await Eventually.UntilAsync(async () => (await AppliedAsync()).Count == 6);
        await _store.AppendAsync(_sick, 3, new Noted("8"));
        await ReachHeadAsync();

        Assert.Equal([1L, 3, 5, 7, 4, 6, 8], await AppliedAsync());
        Assert.Equal(
            1,
            await _store.QueryAsync<long>("select count(*) from platform.dead_letters where status = 'discarded'")
        );
    }

    [Fact]
    public async Task A_second_poison_behind_the_first_takes_its_place()
    {
        // Once among others, and then three times alone.
        _applier.Failing["poison"] = 4;
        _applier.Failing["4"] = int.MaxValue;
        await PoisonAsync();
        await using var running = await StartAsync();
        await ReachHeadAsync();

        await DecideAsync("retrying");
        await Eventually.UntilAsync(async () =>
            await WaitingAsync() == 1 && (await LettersAsync()).StartsWith("4 ", StringComparison.Ordinal)
        );

        Assert.Equal([1L, 3, 5, 7, 2], await AppliedAsync());
        Assert.Equal("4 waiting 3 InvalidOperationException: It fails at '4'. | 6 parked 0 -", await LettersAsync());
    }

    [Fact]
    public async Task What_this_build_cannot_read_is_a_dead_letter_at_once_and_says_why()
    {
        await PoisonAsync();
        // As a later build might have written them.
        await _store.ExecuteAsync("update platform.events set type_version = 9 where position = 2");
        await _store.ExecuteAsync("""update platform.events set data = '{"text":{"secret":1}}' where position = 3""");
        await using var running = await StartAsync();
        await ReachHeadAsync();

        Assert.Equal([1L], await AppliedAsync());
        Assert.Equal(
            "2 waiting 1 UnknownEventException: The event at position 2 is 'test.noted' version 9, which this build does not know. Run the version of Verbatim that wrote it, or one later."
                + " | 3 waiting 1 JsonException: The stored JSON does not fit its shape (line 1, byte 10)."
                + " | 4 parked 0 - | 5 parked 0 - | 6 parked 0 - | 7 parked 0 -",
            await LettersAsync()
        );
    }

    [Fact]
    public async Task Attempts_are_counted_on_by_the_instance_that_takes_over()
    {
        _applier.Failing["poison"] = int.MaxValue;
        await PoisonAsync();
        await using (await StartAsync())
        {
            await Eventually.UntilAsync(async () =>
                await _store.QueryAsync<bool>(
                    "select exists(select from platform.subscription_lanes where failing_position = 2 and failed_attempts > 0)"
                )
            );
        }
        var before = await _store.QueryAsync<int>("select failed_attempts from platform.subscription_lanes");
        Assert.InRange(before, 1, 2);
        var next = new Applier("two");
        next.Failing["poison"] = int.MaxValue;
        await using var running = await StartAsync(next);
        await ReachHeadAsync();

        Assert.Equal(int.MaxValue - (3 - before), next.Failing["poison"]);
        Assert.StartsWith("2 waiting 3 ", await LettersAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_a_lane_tries_again_the_other_lanes_go_on()
    {
        const string lanes = "test.lanes";
        _applier.Failing["poison"] = int.MaxValue;
        await _store.AppendAsync(_sick, 0, new Noted("poison"));
        var sickLane = await _store.QueryAsync<int>(
            $"select platform.lane_of(tenant_id, stream_id, 4) from platform.events where stream_id = '{_sick}'"
        );
        // Before it is a dead letter, since it is tried again without end.
        await using var running = new RunningSubscriptions(_store, [typeof(OnNotedPatiently)], _applier);
        await running.StartAsync();
        var elsewhere = new List<long>();
        while (elsewhere.Count < 20)
        {
            var result = await _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("well"));
            var lane = await _store.QueryAsync<int>(
                $"select platform.lane_of(tenant_id, stream_id, 4) from platform.events where position = {result.LastPosition}"
            );
            if (lane != sickLane)
                elsewhere.Add(result.LastPosition);
        }

        await Eventually.UntilAsync(async () => (await Applied.ReadAsync(_store, lanes)).Count == elsewhere.Count);
        Assert.Equal(elsewhere, (await Applied.ReadAsync(_store, lanes)).Select(a => a.Position).Order());
        Assert.Equal("", await LettersAsync());
    }

    // The sick stream: 2 (poison), 4, 6. The other: 1, 3, 5, 7.
    private async Task PoisonAsync()
    {
        for (var position = 1; position <= 7; position++)
        {
            var text = position == 2 ? "poison" : $"{position}";
            await _store.AppendAsync(position % 2 == 0 ? _sick : _well, (position - 1) / 2, new Noted(text));
        }
    }

    private async Task<RunningSubscriptions> StartAsync(Applier? applier = null)
    {
        var running = new RunningSubscriptions(_store, [typeof(OnAnything)], applier ?? _applier);
        await running.StartAsync();
        return running;
    }

    private async Task ReachHeadAsync() =>
        await Applied.ReachesAsync(_store, Name, await _store.Events.ReadHeadAsync(Cancelled));

    private async Task<List<long>> AppliedAsync() =>
        (await Applied.ReadAsync(_store, Name)).Select(a => a.Position).ToList();

    private Task DecideAsync(string status) =>
        _store.ExecuteAsync($"update platform.dead_letters set status = '{status}' where status = 'waiting'");

    private Task<long> WaitingAsync() =>
        _store.QueryAsync<long>("select count(*) from platform.dead_letters where status = 'waiting'");

    private Task<string> LettersAsync() =>
        _store.QueryAsync<string>(
            """
            select coalesce(string_agg(format('%s %s %s %s', position, status, attempts, coalesce(reason, '-')), ' | ' order by position), '')
            from platform.dead_letters where status not in ('handled', 'discarded')
            """
        );
}
