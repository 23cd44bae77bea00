using System.Buffers.Binary;

namespace Verbatim.Platform.Events;

/// <summary>
/// The one source of ids: UUIDv7, so that new rows go to the end of every index and sort by age. The ids of one source
/// sort in the order in which they were asked for, those of one millisecond too: the twelve bits after the millisecond
/// hold its fraction, and an id that would not come after its predecessor takes the next fraction (RFC 9562, 6.2,
/// methods 3 and 1). 62 bits stay random.
/// </summary>
/// <param name="time">Tells the time that an id begins with.</param>
public sealed class IdSource(TimeProvider time)
{
    private const int FractionBits = 12;

    /// <summary>How far ids may run ahead of a clock that was set back, before they follow it: a second.</summary>
    private const long MaxAhead = 1000L << FractionBits;

    private long _last;

    /// <summary>A new id.</summary>
    public Guid New()
    {
        var stamp = NextStamp();
        Span<byte> bytes = stackalloc byte[16];
        // A random UUID has the variant's bits where version 7 wants them, in the half that stays.
        _ = Guid.NewGuid().TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(
            bytes,
            (stamp >> FractionBits << 16) | 0x7000 | (stamp & ((1L << FractionBits) - 1))
        );
        return new Guid(bytes, bigEndian: true);
    }

    private long NextStamp()
    {
        var ticks = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks;
        var (milliseconds, rest) = Math.DivRem(ticks, TimeSpan.TicksPerMillisecond);
        var now = (milliseconds << FractionBits) | ((rest << FractionBits) / TimeSpan.TicksPerMillisecond);
        while (true)
        {
            var last = Volatile.Read(ref _last);
            var next = now > last || last - now > MaxAhead ? now : last + 1;
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
                return next;
        }
    }
}
