namespace Verbatim.Modules.Gateway.Files;

/// <summary>Bytes that are read from one stream and written on to another in passing.</summary>
/// <param name="from">Where they come from.</param>
/// <param name="to">Where they go.</param>
/// <param name="limit">The most that may pass.</param>
/// <param name="watch">Counts the time that the other side takes.</param>
internal sealed class PassingStream(Stream from, Stream to, long limit, SilenceWatch watch) : Stream
{
    private long _passed;

    /// <summary>One of the two streams broke: what is thrown is not about what passed.</summary>
    public bool HasFailed { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        HasFailed = true;
        var read = await from.ReadAsync(buffer, cancellationToken);
        if (read > 0)
        {
            _passed += read;
            if (_passed > limit)
                throw new TooLongException();
            watch.Begin();
            await to.WriteAsync(buffer[..read], cancellationToken);
            watch.Rest();
        }
        HasFailed = false;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush() { }

    /// <summary>More came than may pass.</summary>
    internal sealed class TooLongException() : IOException("More came than may pass.");
}
