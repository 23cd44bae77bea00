using System.Buffers;
using System.IO.Pipelines;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>A writer whose flush is done when what was written has been taken in: who writes faster than that waits.</summary>
internal sealed class EventWriter(Func<ReadOnlyMemory<byte>, Task> take) : PipeWriter
{
    private ArrayBufferWriter<byte> _written = new();

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _written.WrittenCount;

    public override void Advance(int bytes) => _written.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0) => _written.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _written.GetSpan(sizeHint);

    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_written.WrittenCount > 0)
        {
            var bytes = _written.WrittenMemory;
            _written = new ArrayBufferWriter<byte>();
            await take(bytes);
        }
        return new FlushResult(isCanceled: false, isCompleted: false);
    }

    public override void CancelPendingFlush() { }

    public override void Complete(Exception? exception = null) { }
}
