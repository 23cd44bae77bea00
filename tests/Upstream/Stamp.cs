using System.Buffers.Text;

namespace Verbatim.Tests.Upstream;

/// <summary>The id and the creation time of one answer, the same in each of its events.</summary>
internal readonly struct Stamp(byte[] prefix, long number, long unixSeconds)
{
    /// <summary>Fills an id: this provider's own prefix, zeros, the number of the answer.</summary>
    public void WriteId(Span<byte> destination)
    {
        destination.Fill((byte)'0');
        prefix.CopyTo(destination);
        var rest = number;
        for (var at = destination.Length - 1; rest > 0; at--)
        {
            destination[at] = (byte)('0' + (rest % 10));
            rest /= 10;
        }
    }

    /// <summary>The id in so many characters, as it stands in the answer.</summary>
    public string Id(int length) =>
        string.Create(
            length,
            this,
            static (text, stamp) =>
            {
                Span<byte> bytes = stackalloc byte[text.Length];
                stamp.WriteId(bytes);
                System.Text.Encoding.ASCII.GetChars(bytes, text);
            }
        );

    public long UnixSeconds => unixSeconds;

    public void WriteCreated(Span<byte> destination) => Utf8Formatter.TryFormat(unixSeconds, destination, out _);
}

/// <summary>Numbers the answers of one provider.</summary>
internal sealed class StampSource(TimeProvider time)
{
    // Two providers in one test must not give the same id.
    private readonly byte[] _prefix = System.Text.Encoding.ASCII.GetBytes(Guid.NewGuid().ToString("N")[..8]);
    private long _number;

    public Stamp Next() => new(_prefix, Interlocked.Increment(ref _number), time.GetUtcNow().ToUnixTimeSeconds());
}
