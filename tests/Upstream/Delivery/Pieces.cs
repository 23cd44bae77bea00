namespace Verbatim.Tests.Upstream.Delivery;

/// <summary>Cuts the body into single writes, at every so many bytes or at given offsets of the whole body.</summary>
internal sealed class Pieces(int? every, IReadOnlyList<int> offsets)
{
    /// <summary>The lengths of the writes for so many bytes that begin at an offset of the body.</summary>
    public IEnumerable<int> Of(long start, int length)
    {
        var done = 0;
        while (done < length)
        {
            var next = length;
            if (every is { } size)
                next = Math.Min(next, done + size);
            foreach (var offset in offsets)
            {
                if (offset > start + done)
                {
                    next = (int)Math.Min(next, offset - start);
                    break;
                }
            }

            yield return next - done;
            done = next;
        }
    }
}
