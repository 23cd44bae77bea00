namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>
/// Rings when a provider has been waited for too long. A stream is waited for with each of its chunks, so to wait costs a comparison: the timer is
/// set anew only when it must ring earlier, and when it rings too early it sets itself.
/// </summary>
/// <param name="ring">What happens then.</param>
/// <param name="time">Measures.</param>
internal sealed class SilenceClock(Action ring, TimeProvider time) : IDisposable
{
    private const long Never = long.MaxValue;

    private readonly Lock _gate = new();
    private readonly long _startedAt = time.GetTimestamp();
    private ITimer? _timer;

    // Timestamps: when it has been too long, and when the timer looks.
    private long _due = Never;
    private long _looksAt = Never;
    private bool _isDisposed;

    /// <summary>It has been too long.</summary>
    public bool HasRung { get; private set; }

    /// <summary>From now on it runs.</summary>
    /// <param name="atMost">Rings after so long,</param>
    /// <param name="total">and when so long has passed since it was made.</param>
    public void Start(TimeSpan atMost, TimeSpan total)
    {
        var now = time.GetTimestamp();
        var due = Math.Min(now + Ticks(atMost), _startedAt + Ticks(total));
        lock (_gate)
        {
            _due = due;
            if (due < _looksAt)
                LookAt(due, now);
        }
    }

    /// <summary>Nobody is waited for.</summary>
    public void Stop()
    {
        lock (_gate)
            _due = Never;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _timer?.Dispose();
        }
    }

    private void Look()
    {
        lock (_gate)
        {
            _looksAt = Never;
            if (_isDisposed || _due == Never)
                return;
            var now = time.GetTimestamp();
            if (now < _due)
            {
                LookAt(_due, now);
                return;
            }
            HasRung = true;
        }
        ring();
    }

    private void LookAt(long due, long now)
    {
        _looksAt = due;
        // Timers count whole milliseconds, downwards.
        var wait = due <= now ? TimeSpan.Zero : time.GetElapsedTime(now, due) + TimeSpan.FromMilliseconds(1);
        if (_timer is null)
            _timer = time.CreateTimer(
                static clock => ((SilenceClock)clock!).Look(),
                this,
                wait,
                Timeout.InfiniteTimeSpan
            );
        else
            _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private long Ticks(TimeSpan duration) => (long)(duration.TotalSeconds * time.TimestampFrequency);
}
