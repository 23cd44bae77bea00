using System.Text.Json;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Events;

public sealed class RecentEventsTests(SharedPostgres server) : IAsyncLifetime
{
    private const int MaxBytes = 1_000_000;

    private readonly SettableTime _time = new();
    private TestStore _store = null!;
    private RecentEvents _recent = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _recent = new RecentEvents(_time, MaxBytes);
        _store = new TestStore(await MigratedDatabase.CreateAsync(server), recent: _recent);
        // What comes is kept for one who has had nothing.
        _recent.Reached(this, 0);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task Recent_events_are_what_the_log_has_field_by_field()
    {
        var context = TestStore.NewContext() with { Correlation = "r-2", Subject = Guid.CreateVersion7() };
        var said = new Said(
            Guid.CreateVersion7(),
            "open",
            "sealed \u00e9\ud83d\ude00",
            "quote",
            "about",
            7,
            new RawJson("{ \"a\" : 1.0 }"u8.ToArray()),
            [new Line(Guid.CreateVersion7(), "line", "song")]
        );
        await _store.AppendAsync(context, Guid.CreateVersion7(), 0, new Noted("one"), said);
        await Task.WhenAll(
            Enumerable.Range(0, 300).Select(i => _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted($"{i}")))
        );

        var recent = _recent.Read(this, ["test.noted", "test.said"], 0, long.MaxValue, 1000, out var reached)!;

        var log = await _store.ReadAllAsync();
        Assert.Equal(302, reached);
        Assert.Equal(log.Select(WithoutEvent), recent.Select(WithoutEvent));
        foreach (var (stored, kept) in log.Zip(recent))
        {
            Assert.Null(stored.Original);
            Assert.NotNull(kept.Original);
            Assert.Equal(kept.LeafHash.ToArray(), kept.HashLeaf());
            var read = await _store.Opener.ReadAsync(stored, Cancelled);
            var known = await _store.Opener.ReadAsync(kept, Cancelled);
            Assert.Equal(read.GetType(), known.GetType());
            Assert.Equal(
                JsonSerializer.Serialize(read, read.GetType(), _store.Catalog.Json),
                JsonSerializer.Serialize(known, read.GetType(), _store.Catalog.Json)
            );
        }
    }

    [Fact]
    public async Task Only_what_was_asked_for_is_found()
    {
        var id = Guid.CreateVersion7();
        for (var i = 0; i < 5; i++)
            await _store.AppendAsync(id, 2 * i, new Noted($"{i}"), new Stepped());

        Assert.Equal("4 6 8 to 9", Read(["test.stepped"], 2, 9));
        Assert.Equal("5 7 to 7", Read(["test.noted"], 3, 100, limit: 2));
        Assert.Equal(" to 10", Read(["test.other"], 0, 100));
        Assert.Equal(" to 5", Read(["test.noted"], 5, 5));
        Assert.Null(_recent.Read(new object(), ["test.noted"], 10, 100, 10, out _));
    }

    [Fact]
    public async Task Where_another_instance_wrote_in_between_the_log_must_be_asked()
    {
        await using var another = new TestStore(_store.Database.ConnectionString);
        await _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("1"));
        await another.AppendAsync(Guid.CreateVersion7(), 0, new Noted("2"));
        await _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("3"), new Noted("4"));

        Assert.Equal("1 to 1", Read(["test.noted"], 0, 100));
        Assert.Null(_recent.Read(new object(), ["test.noted"], 1, 100, 10, out var reached));
        Assert.Equal(1, reached);
        Assert.Equal("3 4 to 4", Read(["test.noted"], 2, 100));
    }

    [Fact]
    public async Task Nothing_large_is_kept_nothing_for_long_and_nothing_while_nobody_reads()
    {
        await AppendAsync(new string('x', MaxBytes));
        Assert.True(IsGone(0, 1));

        await AppendAsync("2");
        Assert.False(IsGone(1, 2));
        _time.Now += TimeSpan.FromSeconds(3);
        _recent.Reached(this, 1);
        Assert.True(IsGone(1, 2));

        _time.Now += TimeSpan.FromSeconds(3);
        await AppendAsync("3");
        Assert.True(IsGone(2, 3));

        await using var unread = new TestStore(_store.Database.ConnectionString);
        await unread.AppendAsync(Guid.CreateVersion7(), 0, new Noted("4"));
        Assert.Null(unread.Recent.Read(this, ["test.noted"], 3, 4, 10, out _));
    }

    [Fact]
    public async Task What_all_readers_have_had_is_forgotten()
    {
        var (fast, slow) = (new object(), new object());
        _recent.Leave(this);
        await AppendAsync("1");
        await AppendAsync("2");
        Assert.NotNull(_recent.Read(slow, ["test.noted"], 0, 1, 10, out _));
        Assert.NotNull(_recent.Read(fast, ["test.noted"], 1, 2, 10, out _));
        Assert.True(IsGone(0, 2));
        Assert.NotNull(_recent.Read(slow, ["test.noted"], 1, 2, 10, out _));
        Assert.True(IsGone(1, 2));

        // One that has left is not waited for.
        await AppendAsync("3");
        _recent.Leave(slow);
        Assert.NotNull(_recent.Read(fast, ["test.noted"], 2, 3, 10, out _));
        Assert.True(IsGone(2, 3));

        // Nor one that was not heard of for long.
        await AppendAsync("4");
        Assert.NotNull(_recent.Read(slow, ["test.noted"], 3, 3, 10, out _));
        _time.Now += TimeSpan.FromSeconds(3);
        Assert.NotNull(_recent.Read(fast, ["test.noted"], 3, 4, 10, out _));
        Assert.True(IsGone(3, 4));
    }

    [Fact]
    public async Task One_who_comes_late_finds_what_comes_after_though_another_is_always_first()
    {
        var (first, late) = (new object(), new object());
        _recent.Leave(this);
        await AppendAsync("1");
        Assert.NotNull(_recent.Read(first, ["test.noted"], 0, 1, 10, out _));
        Assert.Null(_recent.Read(late, ["test.noted"], 0, 1, 10, out _));

        await AppendAsync("2");
        Assert.NotNull(_recent.Read(first, ["test.noted"], 1, 2, 10, out _));
        Assert.NotNull(_recent.Read(late, ["test.noted"], 1, 2, 10, out _));
    }

    [Fact]
    public async Task Its_memory_has_a_bound()
    {
        for (var i = 0; i < 30; i++)
            await _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted(new string('x', MaxBytes / 11)));

        Assert.True(IsGone(0, 1));
        Assert.Equal("21 22 23 24 25 26 27 28 29 30 to 30", Read(["test.noted"], 20, 100));
    }

    private Task<AppendResult> AppendAsync(string text) =>
        _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted(text));

    private bool IsGone(long after, long upTo)
    {
        var anyone = new object();
        var found = _recent.Read(anyone, ["test.noted"], after, upTo, 10, out _);
        _recent.Leave(anyone);
        return found is null;
    }

    private string Read(string[] types, long after, long upTo, int limit = 100)
    {
        var found = _recent.Read(new object(), types, after, upTo, limit, out var reached);
        Assert.NotNull(found);
        return $"{string.Join(' ', found.Select(e => e.Position))} to {reached}";
    }

    private static string WithoutEvent(RecordedEvent e) =>
        $"{e.Header} {Convert.ToHexString(e.Data.Span)} {Convert.ToHexString(e.LeafHash.Span)}";

    private sealed class SettableTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
