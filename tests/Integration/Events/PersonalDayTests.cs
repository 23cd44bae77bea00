using System.Text;
using System.Text.Json;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Events;

/// <summary>What is sealed to end with its day.</summary>
public sealed class PersonalDayTests(SharedPostgres server) : IAsyncLifetime
{
    private static readonly DateOnly Day = new(2026, 3, 31);

    private readonly Guid _person = Guid.CreateVersion7();
    private readonly DayClock _clock = new() { Now = At(Day) };
    private TestStore _store = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private AppendContext Context => TestStore.Context with { Subject = _person };

    public async ValueTask InitializeAsync() =>
        _store = new TestStore(await MigratedDatabase.CreateAsync(server), keyTime: _clock);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task When_its_day_has_ended_the_value_is_erased_and_nothing_else()
    {
        var first = await KeepAsync("on the first");
        _clock.Now = At(Day.AddDays(1));
        var second = await KeepAsync("on the second");
        _clock.Now = At(Day.AddDays(40));
        var today = await KeepAsync("today");
        var text = Encoding.UTF8.GetString(first.Data.Span);
        Assert.Contains($"\"of\":\"{_person}\",\"day\":\"2026-03-31\"}}", text, StringComparison.Ordinal);
        Assert.DoesNotContain("on the first", text, StringComparison.Ordinal);
        Assert.Equal("on the first", (await ReadAsync(first)).Text);
        await using var another = new TestStore(_store.Database.ConnectionString);
        Assert.Equal("on the second", (await ReadAsync(second, another)).Text);

        Assert.Equal([Day], await Days().EraseBeforeAsync(TestStore.Context, Day.AddDays(1), Cancelled));

        Assert.Equal(new DiaryKept("Ada", "[erased]", Body("\"[erased]\"")), await ReadAsync(first));
        var opened = JsonDocument.Parse(await _store.Opener.OpenAsync(first, Cancelled)).RootElement;
        Assert.Equal("[erased]", opened.GetProperty("body").GetString());
        Assert.Equal("Ada", opened.GetProperty("author").GetString());
        Assert.Equal(first.LeafHash.ToArray(), first.HashLeaf());
        Assert.Equal(new DiaryKept("Ada", "on the second", Body("{ }")), await ReadAsync(second));
        Assert.Equal("today", (await ReadAsync(today)).Text);
        // An instance that had its key hears of it; one that starts now never has it.
        another.Keys.Observe(await LastAsync(), new DayErased(Day));
        Assert.Equal("[erased]", (await ReadAsync(first, another)).Text);
        Assert.Equal(Day, await Days().FindLastErasedAsync(TestStore.Context.TenantId, Cancelled));
        Assert.Null(await Days().FindLastErasedAsync(Guid.CreateVersion7(), Cancelled));
    }

    [Fact]
    public async Task Each_day_that_ends_is_an_event_and_today_never_does()
    {
        for (var i = 0; i < 3; i++)
        {
            _clock.Now = At(Day.AddDays(i));
            await KeepAsync($"{i}");
        }

        Assert.Equal(
            [Day, Day.AddDays(1)],
            await Days().EraseBeforeAsync(TestStore.Context, DateOnly.MaxValue, Cancelled)
        );
        Assert.Empty(await Days().EraseBeforeAsync(TestStore.Context, DateOnly.MaxValue, Cancelled));

        var events = (await _store.ReadAllAsync()).Where(e => e.Type == "platform.day-erased").ToList();
        Assert.Equal(
            [Day, Day.AddDays(1)],
            await Task.WhenAll(events.Select(async e => ((DayErased)await _store.Opener.ReadAsync(e, Cancelled)).Day))
        );
        Assert.Equal("2", (await ReadAsync(await KeepAsync("2"))).Text);
        // What is recorded for a day that has ended, by a clock that goes wrong, is not kept.
        _clock.Now = At(Day);
        var late = await KeepAsync("late");
        Assert.Contains("\"text\":{\"sealed\":null", Encoding.UTF8.GetString(late.Data.Span), StringComparison.Ordinal);
        Assert.Equal("[erased]", (await ReadAsync(late)).Text);
    }

    [Fact]
    public async Task The_person_s_erasure_and_another_organization_s_days_are_things_of_their_own()
    {
        var elsewhere = Context with { TenantId = Guid.CreateVersion7() };
        var own = await KeepAsync("own");
        var other = await KeepAsync("other", elsewhere);
        _clock.Now = At(Day.AddDays(2));

        await Days().EraseBeforeAsync(elsewhere, Day.AddDays(1), Cancelled);
        Assert.Equal("own", (await ReadAsync(own)).Text);
        Assert.Equal("[erased]", (await ReadAsync(other)).Text);

        await _store.Events.AppendAsync(
            TestStore.Context,
            [new StreamEvents("test-erasure", Guid.CreateVersion7(), 0, [new SubjectErased(_person)])],
            [Subjects().DestroyKey(Context.TenantId, _person)],
            Cancelled
        );
        _store.Keys.Forget(Context.TenantId, _person);
        Assert.Equal(new DiaryKept("[erased]", "[erased]", Body("\"[erased]\"")), await ReadAsync(own));
    }

    [Fact]
    public async Task A_day_is_no_person_whom_somebody_could_erase()
    {
        await KeepAsync("words");

        Assert.Null(await Subjects().FindAsync(Context.TenantId, PersonalDays.IdOf(Day), Cancelled));
        Assert.NotNull(await Subjects().FindAsync(Context.TenantId, _person, Cancelled));
        Assert.Equal("00000000-0000-8000-8000-0000000b4645", PersonalDays.IdOf(new DateOnly(2024, 1, 1)).ToString());
        Assert.True(PersonalDays.IsDay(PersonalDays.IdOf(DateOnly.MaxValue)));
        Assert.False(PersonalDays.IsDay(_person));
    }

    [Theory]
    [InlineData("2026-04-01")]
    [InlineData("2026-3-31")]
    [InlineData("31.03.2026")]
    [InlineData("2026-02-30")]
    [InlineData("")]
    public async Task A_value_under_another_day_does_not_open(string day)
    {
        var stored = await KeepAsync("words");
        _clock.Now = At(Day.AddDays(1));
        await KeepAsync("of the next day, so that it has a key");
        var forged = Encoding.UTF8.GetBytes(
            Encoding
                .UTF8.GetString(stored.Data.Span)
                .Replace("\"day\":\"2026-03-31\"", $"\"day\":\"{day}\"", StringComparison.Ordinal)
        );
        var changed = new RecordedEvent
        {
            Position = stored.Position,
            TenantId = stored.TenantId,
            StreamId = stored.StreamId,
            StreamType = stored.StreamType,
            Version = stored.Version,
            Type = stored.Type,
            TypeVersion = stored.TypeVersion,
            Time = stored.Time,
            Actor = stored.Actor,
            Correlation = stored.Correlation,
            Data = forged,
            LeafHash = stored.LeafHash,
        };

        await Assert.ThrowsAsync<JsonException>(async () => await _store.Opener.ReadAsync(changed, Cancelled));
        Assert.DoesNotContain(
            "words",
            Encoding.UTF8.GetString((await _store.Opener.OpenAsync(changed, Cancelled)).Span),
            StringComparison.Ordinal
        );
    }

    private static DateTimeOffset At(DateOnly day) => new(day, new TimeOnly(23, 59, 59), TimeSpan.Zero);

    private static RawJson Body(string json) => new(Encoding.UTF8.GetBytes(json));

    private async Task<RecordedEvent> KeepAsync(string text, AppendContext? context = null)
    {
        var id = Guid.CreateVersion7();
        await _store.AppendAsync(context ?? Context, id, 0, new DiaryKept("Ada", text, Body("{ }")));
        return Assert.Single(await _store.ReadAsync(id, context?.TenantId));
    }

    private async Task<DiaryKept> ReadAsync(RecordedEvent stored, TestStore? by = null) =>
        Assert.IsType<DiaryKept>(await (by ?? _store).Opener.ReadAsync(stored, Cancelled));

    private async Task<RecordedEvent> LastAsync() => (await _store.ReadAllAsync())[^1];

    private PersonalDays Days() =>
        new(_store.Database, _store.Events, _store.Keys, Subjects(), new IdSource(TimeProvider.System));

    private Subjects Subjects() =>
        new(
            _store.Database,
            _store.Keys,
            _store.DocumentTypes,
            new DocumentRepair(_store.Database, _store.Opener, _store.Keys, TimeProvider.System),
            [],
            TimeProvider.System
        );

    private sealed class DayClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
