namespace Verbatim.Modules.Gateway.Files;

/// <summary>
/// Ends what waits for a provider that does nothing for too long, or whose caller has gone. The time that the caller takes is not the provider's.
/// </summary>
internal sealed class SilenceWatch : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly CancellationTokenSource _silence;
    private readonly CancellationTokenSource _ended;

    /// <param name="time">Measures.</param>
    /// <param name="callerLeaves">The caller has gone.</param>
    public SilenceWatch(TimeProvider time, CancellationToken callerLeaves)
    {
        _silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _ended = CancellationTokenSource.CreateLinkedTokenSource(callerLeaves, _silence.Token);
    }

    /// <summary>It is over.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>The provider was silent for too long.</summary>
    public bool IsSilent => _silence.IsCancellationRequested;

    /// <summary>The provider is waited for from now on.</summary>
    public void Begin() => _silence.CancelAfter(Patience);

    /// <summary>It is not.</summary>
    public void Rest() => _silence.CancelAfter(Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        _ended.Dispose();
        _silence.Dispose();
    }
}
