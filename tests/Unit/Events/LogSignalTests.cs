using Verbatim.Platform.Events;

namespace Verbatim.Tests.Unit.Events;

public sealed class LogSignalTests
{
    private readonly LogSignal _signal = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_waiter_is_woken_by_what_is_published()
    {
        var waiting = _signal.WaitAsync(0, TimeSpan.FromMinutes(5), TimeProvider.System, Cancelled);
        Assert.False(waiting.IsCompleted);

        _signal.Publish(1);

        await waiting.WaitAsync(TimeSpan.FromSeconds(30), Cancelled);
        Assert.Equal(1, _signal.Position);
    }

    [Fact]
    public async Task Who_has_not_seen_all_does_not_wait()
    {
        _signal.Publish(5);

        await _signal.WaitAsync(4, Timeout.InfiniteTimeSpan, TimeProvider.System, Cancelled);
    }

    [Fact]
    public async Task Waiting_ends_by_itself_because_others_may_have_written()
    {
        _signal.Publish(5);

        await _signal.WaitAsync(5, TimeSpan.FromMilliseconds(1), TimeProvider.System, Cancelled);
    }

    [Fact]
    public void The_position_never_falls()
    {
        _signal.Publish(9);
        _signal.Publish(3);

        Assert.Equal(9, _signal.Position);
    }
}
