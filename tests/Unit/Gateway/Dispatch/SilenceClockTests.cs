using Verbatim.Modules.Gateway.Dispatch;

namespace Verbatim.Tests.Unit.Gateway.Dispatch;

public sealed class SilenceClockTests : IDisposable
{
    private static readonly TimeSpan Total = TimeSpan.FromMinutes(10);

    private readonly ManualTime _time = new();
    private readonly SilenceClock _clock;
    private int _rings;

    public SilenceClockTests() => _clock = new SilenceClock(() => _rings++, _time);

    public void Dispose() => _clock.Dispose();

    [Fact]
    public void It_rings_once_when_the_wait_was_too_long()
    {
        Start(60);

        Pass(59);
        Assert.Equal((0, false), (_rings, _clock.HasRung));
        Pass(2);
        Assert.Equal((1, true), (_rings, _clock.HasRung));
        Pass(600);
        Assert.Equal(1, _rings);
    }

    [Fact]
    public void Each_wait_counts_by_itself()
    {
        for (var i = 0; i < 9; i++)
        {
            Start(60);
            Pass(50);
            _clock.Stop();
            Pass(5);
        }
        Assert.Equal(0, _rings);

        Start(60);
        Pass(61);
        Assert.Equal(1, _rings);
    }

    [Fact]
    public void Nobody_waiting_is_never_too_long()
    {
        Start(60);
        _clock.Stop();
        Pass(600);
        Assert.Equal(0, _rings);

        // The timer has looked in vain meanwhile, and is wound up again. What was waited in all is too long by now.
        Start(60);
        Pass(1);
        Assert.Equal(1, _rings);
    }

    [Fact]
    public void A_shorter_wait_behind_a_longer_one_rings_in_time()
    {
        Start(120);
        Pass(1);
        Start(30);
        Pass(29);
        Assert.Equal(0, _rings);
        Pass(2);
        Assert.Equal(1, _rings);
    }

    [Fact]
    public void All_waits_together_have_an_end()
    {
        for (var passed = 0; passed < 595; passed += 5)
        {
            Start(60);
            Pass(5);
        }
        Assert.Equal(0, _rings);
        Start(60);
        Pass(6);
        Assert.Equal(1, _rings);
    }

    [Fact]
    public void Disposed_of_it_never_rings()
    {
        Start(60);
        _clock.Dispose();
        Pass(61);
        Assert.Equal((0, false), (_rings, _clock.HasRung));
    }

    private void Start(int seconds) => _clock.Start(TimeSpan.FromSeconds(seconds), Total);

    private void Pass(int seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));
}
