using System.Text.Json;
using Verbatim.Platform.Events;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Events;

public sealed class RecentEventsTests(SharedPostgres server) : IAsyncLifetime
{
    private TestStore _store = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = new TestStore(await MigratedDatabase.CreateAsync(server));

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

        var recent = _store.Recent.Read(["test.noted", "test.said"], 0, long.MaxValue, 1000, out var reached)!;

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
        Assert.Null(_store.Recent.Read(["test.noted"], 10, 100, 10, out _));
    }

    [Fact]
    public async Task Where_another_instance_wrote_in_between_the_log_must_be_asked()
    {
        await using var another = new TestStore(_store.Database.ConnectionString);
        await _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("1"));
        await another.AppendAsync(Guid.CreateVersion7(), 0, new Noted("2"));
        await _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("3"), new Noted("4"));

        Assert.Equal("1 to 1", Read(["test.noted"], 0, 100));
        Assert.Null(_store.Recent.Read(["test.noted"], 1, 100, 10, out var reached));
        Assert.Equal(1, reached);
        Assert.Equal("3 4 to 4", Read(["test.noted"], 2, 100));
    }

    [Fact]
    public async Task Nothing_large_is_kept_and_nothing_while_nobody_reads()
    {
        var time = new SettableTime();
        var recent = new RecentEvents(time);
        await using var store = new TestStore(_store.Database.ConnectionString, recent: recent);

        await store.AppendAsync(Guid.CreateVersion7(), 0, new Noted(new string('x', 5_000_000)));
        Assert.Null(recent.Read(["test.noted"], 0, 100, 10, out _));

        time.Now += TimeSpan.FromSeconds(1);
        await store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("2"));
        Assert.NotNull(recent.Read(["test.noted"], 1, 100, 10, out _));
        time.Now += TimeSpan.FromSeconds(3);
        recent.Trim();
        Assert.Null(recent.Read(["test.noted"], 1, 100, 10, out _));

        time.Now += TimeSpan.FromSeconds(3);
        await store.AppendAsync(Guid.CreateVersion7(), 0, new Noted("3"));
        Assert.Null(recent.Read(["test.noted"], 2, 100, 10, out _));
    }

    [Fact]
    public async Task Its_memory_has_a_bound()
    {
        for (var i = 0; i < 30; i++)
            await _store.AppendAsync(Guid.CreateVersion7(), 0, new Noted(new string('x', 1_000_000)));

        Assert.Null(_store.Recent.Read(["test.noted"], 0, 100, 100, out _));
        Assert.Equal("21 22 23 24 25 26 27 28 29 30 to 30", Read(["test.noted"], 20, 100));
    }

    private string Read(string[] types, long after, long upTo, int limit = 100)
    {
        var found = _store.Recent.Read(types, after, upTo, limit, out var reached);
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
