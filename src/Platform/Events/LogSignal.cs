namespace Verbatim.Platform.Events;

/// <summary>Tells this instance's readers of the log that it has grown, without asking the database.</summary>
internal sealed class LogSignal
{
    private volatile TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _position;

    /// <summary>The highest position that this instance has heard of.</summary>
    public long Position => Volatile.Read(ref _position);

    public void Publish(long position)
    {
        // Never back: a writer that had lost its connection may tell of what others have long passed.
        while (Position is var known && known < position)
            Interlocked.CompareExchange(ref _position, position, known);
        Interlocked
            .Exchange(ref _grown, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
            .SetResult();
    }

    /// <summary>Waits until this instance writes, or <paramref name="atMost"/> passes: others may have written.</summary>
    public async Task WaitAsync(long seen, TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        var grown = _grown.Task;
        if (Position > seen)
            return;
        try
        {
            await grown.WaitAsync(atMost, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Time to look at what other instances wrote.
        }
    }
}
