using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Verbatim.Evidence;

/// <summary>
/// The canonical encoding of an event, and its leaf hash as in RFC 6962 §2.1: SHA-256(0x00 || encoding). Integers are
/// big-endian, UUIDs are their 16 bytes in RFC 9562 order, texts are UTF-8 behind a 16-bit length:
/// <code>
/// u8 0x01 (format) · u64 position · uuid tenant · uuid stream · text streamType · u64 version
/// · text type · u16 typeVersion · i64 time (microseconds since 1970) · text actor · text correlation · u32 length · data
/// </code>
/// Every field has a length of its own, so no two events share an encoding. <c>docs/event-log.md</c> tells it to auditors.
/// </summary>
public static class LeafEncoding
{
    /// <summary>The size of a hash in bytes.</summary>
    public const int HashSize = SHA256.HashSizeInBytes;

    private const byte LeafPrefix = 0x00;
    private const byte Format = 0x01;

    // One call over copied bytes is quicker than three calls, until copying costs more.
    private const int LargestCopied = 64 * 1024;

    /// <summary>An instant as it is hashed: microseconds since 1970.</summary>
    public static long Microseconds(DateTimeOffset time) =>
        (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>The instant, in UTC, of what is hashed.</summary>
    public static DateTimeOffset TimeOf(long microseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    /// <summary>Writes the leaf hash of an event into <paramref name="destination"/>.</summary>
    /// <param name="scratch">Grows at need, so that one can be used for all events.</param>
    /// <param name="header">All of the event but its data.</param>
    /// <param name="data">The event's JSON, as it is stored.</param>
    /// <param name="destination">At least <see cref="HashSize"/> bytes.</param>
    public static void Hash(ref byte[] scratch, in LeafHeader header, ReadOnlySpan<byte> data, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        var isSmall = data.Length <= LargestCopied;
        var size = MaxHeaderSize(header) + (isSmall ? data.Length : 0);
        if (scratch.Length < size)
            scratch = new byte[Math.Max(size, scratch.Length * 2)];
        var length = WriteHeader(scratch, header, data.Length);
        if (isSmall)
        {
            data.CopyTo(scratch.AsSpan(length));
            SHA256.HashData(scratch.AsSpan(0, length + data.Length), destination);
        }
        else
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(scratch.AsSpan(0, length));
            hash.AppendData(data);
            hash.GetHashAndReset(destination);
        }
    }

    // A UTF-16 unit is three bytes of UTF-8 at most.
    private static int MaxHeaderSize(in LeafHeader header) =>
        128 + 3 * (header.StreamType.Length + header.Type.Length + header.Actor.Length + header.Correlation.Length);

    private static int WriteHeader(Span<byte> destination, in LeafHeader header, int dataLength)
    {
        var at = 0;
        destination[at++] = LeafPrefix;
        destination[at++] = Format;
        BinaryPrimitives.WriteInt64BigEndian(destination[at..], header.Position);
        at += 8;
        header.TenantId.TryWriteBytes(destination[at..], bigEndian: true, out _);
        at += 16;
        header.StreamId.TryWriteBytes(destination[at..], bigEndian: true, out _);
        at += 16;
        at += WriteText(destination[at..], header.StreamType);
        BinaryPrimitives.WriteInt64BigEndian(destination[at..], header.Version);
        at += 8;
        at += WriteText(destination[at..], header.Type);
        BinaryPrimitives.WriteUInt16BigEndian(destination[at..], checked((ushort)header.TypeVersion));
        at += 2;
        BinaryPrimitives.WriteInt64BigEndian(destination[at..], header.Time);
        at += 8;
        at += WriteText(destination[at..], header.Actor);
        at += WriteText(destination[at..], header.Correlation);
        BinaryPrimitives.WriteInt32BigEndian(destination[at..], dataLength);
        return at + 4;
    }

    private static int WriteText(Span<byte> destination, string text)
    {
        var length = Encoding.UTF8.GetBytes(text, destination[2..]);
        BinaryPrimitives.WriteUInt16BigEndian(destination, checked((ushort)length));
        return 2 + length;
    }
}

/// <summary>All of an event but its data. The names are those of the columns of <c>platform.events</c>.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct LeafHeader(
    long Position,
    Guid TenantId,
    Guid StreamId,
    string StreamType,
    long Version,
    string Type,
    int TypeVersion,
    long Time,
    string Actor,
    string Correlation
);
