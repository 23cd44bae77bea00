namespace Verbatim.Modules.Gateway.Providers.Simulator;

/// <summary>A body that comes from no network but behaves as if: read only forward, and reads end when they are cancelled or it is closed.</summary>
/// <param name="time">The clock of its delays.</param>
internal abstract class SimulatedBody(TimeProvider time) : Stream
{
    private CancellationTokenSource? _closed;
    private bool _isClosed;

    /// <inheritdoc/>
    public sealed override bool CanRead => !_isClosed;

    /// <inheritdoc/>
    public sealed override bool CanSeek => false;

    /// <inheritdoc/>
    public sealed override bool CanWrite => false;

    /// <inheritdoc/>
    public sealed override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public sealed override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The clock of its delays.</summary>
    protected TimeProvider Time { get; } = time;

    /// <inheritdoc/>
    public sealed override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<int>(cancellationToken);
        return buffer.IsEmpty ? ValueTask.FromResult(0) : ReadCoreAsync(buffer, cancellationToken);
    }

    /// <inheritdoc/>
    public sealed override Task<int> ReadAsync(
        byte[] buffer,
        int offset,
        int count,
        CancellationToken cancellationToken
    ) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Not here: who reads a provider's answer does not block a thread for it.</summary>
    public sealed override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public sealed override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public sealed override void Flush() { }

    /// <summary>Reads; the buffer is not empty.</summary>
    protected abstract ValueTask<int> ReadCoreAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>What a broken connection looks like to who reads from a socket.</summary>
    protected static HttpIOException Cut() =>
        new(HttpRequestError.ResponseEnded, "The simulator cut the response, as it was asked to.");

    /// <summary>Waits. Ends early by cancellation, or when the body is closed: its reader's buffer may be someone else's by then.</summary>
    protected async Task WaitAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        _closed ??= new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token, cancellationToken);
        try
        {
            await Task.Delay(delay, Time, either.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException("The response was closed while it was read.", e);
        }
    }

    /// <summary>Gives nothing, until it is cancelled or the body is closed.</summary>
    protected async ValueTask<int> StallAsync(CancellationToken cancellationToken)
    {
        await WaitAsync(Timeout.InfiniteTimeSpan, cancellationToken);
        return 0;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isClosed)
        {
            _isClosed = true;
            _closed?.Cancel();
            _closed?.Dispose();
        }
        base.Dispose(disposing);
    }
}
