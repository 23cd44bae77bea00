using System.Buffers;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Tests.Unit.Gateway.Wire;

public sealed class PooledBytesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(64 * 1024)]
    [InlineData((64 * 1024) + 1)]
    [InlineData(1_000_000)]
    public void What_is_kept_stays_when_the_pool_is_used_again(int length)
    {
        var content = new byte[length];
        Random.Shared.NextBytes(content);
        var bytes = new PooledBytes();
        bytes.Append(content);

        var kept = bytes.Keep();
        Assert.Equal(content, bytes.Span.ToArray());
        bytes.Dispose();
        // As many arrays of its size as the pool may have of this thread and processor.
        for (var i = 0; i < 64; i++)
            ArrayPool<byte>.Shared.Rent(Math.Max(1, length)).AsSpan().Fill(0xee);

        Assert.Equal(content, kept.ToArray());
    }
}
