using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Events;

public sealed class IdSourceTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, 123, TimeSpan.Zero);

    [Fact]
    public void An_id_is_a_version_7_UUID_of_its_millisecond()
    {
        var id = new IdSource(new ManualClock(Noon)).New();

        Assert.Equal(7, id.Version);
        Assert.InRange(id.Variant, 8, 11);
        Assert.Equal(Noon.ToUnixTimeMilliseconds(), MillisecondOf(id));
    }

    [Fact]
    public void Ids_sort_in_the_order_in_which_they_were_asked_for_while_the_clock_stands_still()
    {
        var ids = new IdSource(new ManualClock(Noon));

        var made = Enumerable.Range(0, 10_000).Select(_ => ids.New()).ToArray();

        Assert.Equal(made.Order(), made);
        // 4,096 to a millisecond: the rest runs ahead of the clock by two.
        Assert.Equal(Noon.ToUnixTimeMilliseconds() + 2, MillisecondOf(made[^1]));
    }

    [Fact]
    public void The_fraction_of_a_millisecond_is_in_the_id()
    {
        var clock = new ManualClock(Noon);
        var earlier = new IdSource(clock).New();
        clock.Now += TimeSpan.FromMicroseconds(1);
        var later = new IdSource(clock).New();

        Assert.True(earlier < later);
        Assert.Equal(MillisecondOf(earlier), MillisecondOf(later));
    }

    [Fact]
    public void Ids_stay_in_order_over_a_small_step_back_of_the_clock_and_follow_a_great_one()
    {
        var clock = new ManualClock(Noon);
        var ids = new IdSource(clock);
        var before = ids.New();

        clock.Now = Noon.AddMilliseconds(-900);
        Assert.True(before < ids.New());

        clock.Now = Noon.AddMinutes(-1);
        Assert.Equal(clock.Now.ToUnixTimeMilliseconds(), MillisecondOf(ids.New()));
    }

    [Fact]
    public async Task Callers_at_once_never_get_the_same_place()
    {
        var ids = new IdSource(new ManualClock(Noon));

        var made = await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(_ => Task.Run(() => Enumerable.Range(0, 2_000).Select(_ => ids.New()).ToArray()))
        );

        Assert.All(made, own => Assert.Equal(own.Order(), own));
        Assert.Equal(8_000, made.SelectMany(own => own).Select(id => id.ToString("N")[..16]).Distinct().Count());
    }

    private static long MillisecondOf(Guid id) => Convert.ToInt64(id.ToString("N")[..12], 16);
}
