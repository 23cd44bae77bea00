using System.Text;
using System.Text.Json;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Events;

/// <summary>One append: what is stored, what is refused.</summary>
public sealed class AppendTests(MigratedDatabase database) : IClassFixture<MigratedDatabase>, IAsyncLifetime
{
    private readonly TestStore _store = new(database.ConnectionString);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task An_append_returns_where_its_last_event_is()
    {
        var id = Guid.CreateVersion7();

        var first = await _store.AppendAsync(id, 0, new Noted("a"), new Noted("b"));
        var second = await _store.AppendAsync(id, 2, new Noted("c"));

        var events = await _store.ReadAsync(id);
        Assert.Equal([1L, 2, 3], events.Select(e => e.Version));
        Assert.Equal(first.LastPosition, events[1].Position);
        Assert.Equal(second.LastPosition, events[2].Position);
        Assert.Equal(first.Time, events[0].Time);
        Assert.Equal(second.Time, events[2].Time);
        LogChecks.AssertSound(events[..2]);
    }

    [Fact]
    public async Task Everything_about_an_event_is_stored_as_given()
    {
        var id = Guid.CreateVersion7();
        var context = new AppendContext(Guid.CreateVersion7(), "user:0198", "r=ä€/~");

        await _store.AppendAsync(context, id, 0, new Noted("x"));

        var stored = Assert.Single(await _store.ReadAsync(id, context.TenantId));
        Assert.Equal(
            (context.TenantId, id, "test-plain", 1L, "test.noted", 1, "user:0198", "r=ä€/~"),
            (
                stored.TenantId,
                stored.StreamId,
                stored.StreamType,
                stored.Version,
                stored.Type,
                stored.TypeVersion,
                stored.Actor,
                stored.Correlation
            )
        );
        Assert.Equal("""{"text":"x"}""", Encoding.UTF8.GetString(stored.Data.Span));
        Assert.Equal(new Noted("x"), _store.Catalog.Read(stored));
    }

    [Theory]
    [InlineData(""" { "b" : 1.0,"a":[ ] , "b":2 }  """)]
    [InlineData("\"\\u0000 \\ud83d \\/ é \u2028\"")]
    [InlineData("1E+400")]
    [InlineData("null")]
    public async Task Raw_json_is_stored_byte_for_byte(string json)
    {
        var id = Guid.CreateVersion7();
        var bytes = Encoding.UTF8.GetBytes(json.Trim());

        await _store.AppendAsync(id, 0, new Noted("", new RawJson(bytes)));

        var stored = Assert.Single(await _store.ReadAsync(id));
        Assert.True(stored.Data.Span.IndexOf(bytes) > 0);
        if (json != "null")
            Assert.Equal(bytes, ((Noted)_store.Catalog.Read(stored)).Body!.Value.Utf8.ToArray());
        LogChecks.AssertSound([stored]);
    }

    [Fact]
    public async Task Raw_json_as_deep_as_its_reader_allows_can_be_read_back()
    {
        var id = Guid.CreateVersion7();
        var body = Encoding.UTF8.GetBytes(new string('[', 64) + new string(']', 64));
        using (JsonDocument.Parse(body))
            await _store.AppendAsync(id, 0, new Noted("", new RawJson(body)));

        var stored = Assert.Single(await _store.ReadAsync(id));
        Assert.Equal(body, ((Noted)_store.Catalog.Read(stored)).Body!.Value.Utf8.ToArray());
    }

    [Fact]
    public async Task A_string_may_have_U0000_and_half_a_surrogate_pair()
    {
        var id = Guid.CreateVersion7();

        await _store.AppendAsync(id, 0, new Noted("a\0b\ud83dc😀"));

        var stored = Assert.Single(await _store.ReadAsync(id));
        // Half a pair is no character: JSON in UTF-8 cannot have it, and the writer puts U+FFFD in its place.
        Assert.Equal(new Noted("a\0b\ufffdc😀"), _store.Catalog.Read(stored));
        Assert.Equal(
            stored.Position,
            await _store.QueryAsync<long>(
                $"select position from platform.readable_events where stream_id = '{id}' and data is not null"
            )
        );
    }

    [Fact]
    public async Task An_event_of_twenty_megabytes_is_stored()
    {
        var id = Guid.CreateVersion7();
        var text = new string('x', 10_000_000) + new string('ä', 5_000_000);

        await _store.AppendAsync(id, 0, new Noted(text), new Noted("small"));

        var stored = await _store.ReadAsync(id);
        Assert.Equal(text, ((Noted)_store.Catalog.Read(stored[0])).Text);
        LogChecks.AssertSound(stored);
    }

    [Fact]
    public async Task An_append_that_is_too_large_is_refused_before_it_waits()
    {
        var body = new RawJson(new byte[EventStore.MaxAppendBytes + 1]);

        var e = await Assert.ThrowsAsync<ArgumentException>(() =>
            _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("", body))
        );
        Assert.Contains("67108864", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_without_fields_is_stored_as_an_empty_object()
    {
        var id = Guid.CreateVersion7();

        await _store.AppendAsync(id, 0, new Stepped());

        Assert.Equal("{}", Encoding.UTF8.GetString(Assert.Single(await _store.ReadAsync(id)).Data.Span));
    }

    [Fact]
    public async Task An_append_of_nothing_is_refused()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => _store.AppendAsync(Guid.CreateVersion7(), 0));
        await Assert.ThrowsAsync<ArgumentException>(() =>
            _store.Events.AppendAsync(TestStore.Context, [], [], Cancelled)
        );
    }

    [Theory]
    [InlineData("", "", "test-plain", 0)]
    [InlineData("system:\0", "", "test-plain", 0)]
    [InlineData("system:\ud83d", "", "test-plain", 0)]
    [InlineData("system:test", "a\nb", "test-plain", 0)]
    [InlineData("system:test", "", "Test_Plain", 0)]
    [InlineData("system:test", "", "", 0)]
    [InlineData("system:test", "", "test-plain", -1)]
    [InlineData("system:test", "", "test-tally", 0)] // a document with a row is DocumentStore's
    public async Task A_malformed_append_is_refused_before_it_waits(
        string actor,
        string correlation,
        string streamType,
        long expected
    )
    {
        var head = await _store.Events.ReadHeadAsync(Cancelled);

        await Assert.ThrowsAsync<ArgumentException>(() =>
            _store.Events.AppendAsync(
                new AppendContext(Guid.CreateVersion7(), actor, correlation),
                new StreamEvents(streamType, Guid.CreateVersion7(), expected, [new Noted("")]),
                Cancelled
            )
        );
        Assert.Equal(head, await _store.Events.ReadHeadAsync(Cancelled));
    }

    [Fact]
    public async Task Names_at_their_longest_are_stored()
    {
        var id = Guid.CreateVersion7();
        var context = new AppendContext(Guid.CreateVersion7(), new string('é', 100), new string('€', 128));

        await _store.AppendAsync(context, id, 0, new Noted(""));

        LogChecks.AssertSound(await _store.ReadAsync(id, context.TenantId));
        await Assert.ThrowsAsync<ArgumentException>(() =>
            _store.AppendAsync(context with { Actor = new string('a', 101) }, id, 1, new Noted(""))
        );
        await Assert.ThrowsAsync<ArgumentException>(() =>
            _store.AppendAsync(context with { Correlation = new string('a', 129) }, id, 1, new Noted(""))
        );
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_stale_version_is_a_conflict(long expected)
    {
        var id = Guid.CreateVersion7();
        await _store.AppendAsync(id, 0, new Noted("1"), new Noted("2"));

        var result = await _store.AppendAsync(id, expected, new Noted("x"));

        Assert.Equal(new VersionConflict(id, expected, 2), result.Conflict);
        Assert.Equal(2, (await _store.ReadAsync(id)).Count);
    }

    [Fact]
    public async Task Several_streams_are_appended_to_together_or_not_at_all()
    {
        var (one, two) = (Guid.CreateVersion7(), Guid.CreateVersion7());

        async Task<AppendResult> BothAsync(long first, long second) =>
            await _store.Events.AppendAsync(
                TestStore.Context,
                [
                    new StreamEvents("test-plain", one, first, [new Noted("1")]),
                    new StreamEvents("test-plain", two, second, [new Noted("2"), new Noted("3")]),
                ],
                [],
                Cancelled
            );

        Assert.Null((await BothAsync(0, 0)).Conflict);
        Assert.Equal(new VersionConflict(two, 0, 2), (await BothAsync(1, 0)).Conflict);
        Assert.Equal(new VersionConflict(one, 0, 1), (await BothAsync(0, 2)).Conflict);
        Assert.Null((await BothAsync(1, 2)).Conflict);
        Assert.Equal((2, 4), ((await _store.ReadAsync(one)).Count, (await _store.ReadAsync(two)).Count));
    }

    [Fact]
    public async Task One_stream_may_be_named_twice_in_an_append()
    {
        var id = Guid.CreateVersion7();

        async Task<AppendResult> TwiceAsync(long first, long second) =>
            await _store.Events.AppendAsync(
                TestStore.Context,
                [
                    new StreamEvents("test-plain", id, first, [new Noted("1")]),
                    new StreamEvents("test-plain", id, second, [new Noted("2")]),
                ],
                [],
                Cancelled
            );

        Assert.Equal(new VersionConflict(id, 0, 1), (await TwiceAsync(0, 0)).Conflict);
        Assert.Null((await TwiceAsync(0, 1)).Conflict);
        Assert.Equal(["1", "2"], (await _store.ReadAsync(id)).Select(e => ((Noted)_store.Catalog.Read(e)).Text));
    }

    [Fact]
    public async Task Tenants_have_streams_of_their_own()
    {
        var id = Guid.CreateVersion7();
        await _store.AppendAsync(id, 0, new Noted("mine"));

        Assert.Empty(await _store.ReadAsync(id, Guid.CreateVersion7()));
        Assert.Null((await _store.AppendAsync(TestStore.NewContext(), id, 0, new Noted("theirs"))).Conflict);
        Assert.Single(await _store.ReadAsync(id));
    }

    [Fact]
    public async Task An_append_that_is_cancelled_before_it_waits_stores_nothing()
    {
        var id = Guid.CreateVersion7();

        await Assert.ThrowsAsync<TaskCanceledException>(() =>
            _store.Events.AppendAsync(
                TestStore.Context,
                new StreamEvents("test-plain", id, 0, [new Noted("")]),
                new CancellationToken(canceled: true)
            )
        );

        await _store.AppendAsync(id, 0, new Noted("the first"));
        Assert.Single(await _store.ReadAsync(id));
    }

    [Fact]
    public async Task A_statement_is_carried_out_with_the_append_or_not_at_all()
    {
        await _store.ExecuteAsync("create table if not exists public.marks (id uuid primary key)");
        var id = Guid.CreateVersion7();
        var mark = new SqlWrite("insert into public.marks values ($1)", id);

        Task<AppendResult> AppendAsync(long expected) =>
            _store.Events.AppendAsync(
                TestStore.Context,
                [new StreamEvents("test-plain", id, expected, [new Noted("")])],
                [mark],
                Cancelled
            );

        Assert.NotNull((await AppendAsync(7)).Conflict);
        Assert.Equal(0, await _store.QueryAsync<long>($"select count(*) from public.marks where id = '{id}'"));
        Assert.Null((await AppendAsync(0)).Conflict);
        Assert.Equal(1, await _store.QueryAsync<long>($"select count(*) from public.marks where id = '{id}'"));

        var e = await Assert.ThrowsAsync<PostgresException>(() => AppendAsync(1));
        Assert.Equal(PostgresErrorCodes.UniqueViolation, e.SqlState);
        Assert.Single(await _store.ReadAsync(id));
    }

    [Fact]
    public async Task Time_does_not_fall_when_the_clock_is_put_back()
    {
        var clock = new ManualClock(DateTimeOffset.UtcNow);
        await using var store = new TestStore(database.ConnectionString, time: clock);
        var id = Guid.CreateVersion7();

        var before = await store.AppendAsync(id, 0, new Noted(""));
        clock.Now -= TimeSpan.FromHours(1);
        var after = await store.AppendAsync(id, 1, new Noted(""));
        clock.Now += TimeSpan.FromHours(2);
        var later = await store.AppendAsync(id, 2, new Noted(""));

        Assert.Equal(before.Time, after.Time);
        Assert.Equal(clock.Now.Ticks / 10, later.Time.Ticks / 10);
    }

    private sealed class ManualClock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
