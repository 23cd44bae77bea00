using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Verbatim.Platform.Events;

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

    /// <summary>Writes the leaf hash of an event into <paramref name="destination"/>.</summary>
    /// <param name="recorded">The event; its own <see cref="RecordedEvent.LeafHash"/> is not looked at.</param>
    /// <param name="destination">At least <see cref="HashSize"/> bytes.</param>
    public static void Hash(RecordedEvent recorded, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        var buffer = new byte[
            HeaderSize(recorded.StreamType, recorded.Type, recorded.Actor, recorded.Correlation) + recorded.Data.Length
        ];
        Hash(
            buffer,
            new LeafHeader(
                recorded.Position,
                recorded.TenantId,
                recorded.StreamId,
                recorded.StreamType,
                recorded.Version,
                recorded.Type,
                recorded.TypeVersion,
                Microseconds(recorded.Time),
                recorded.Actor,
                recorded.Correlation
            ),
            recorded.Data.Span,
            destination
        );
    }

    internal static long Microseconds(DateTimeOffset time) =>
        (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    internal static int HeaderSize(string streamType, string type, string actor, string correlation) =>
        1
        + 1
        + 8
        + 16
        + 16
        + 8
        + 2
        + 8
        + 4
        + 2
        + Encoding.UTF8.GetByteCount(streamType)
        + 2
        + Encoding.UTF8.GetByteCount(type)
        + 2
        + Encoding.UTF8.GetByteCount(actor)
        + 2
        + Encoding.UTF8.GetByteCount(correlation);

    /// <summary>Hashes by way of <paramref name="scratch"/>, so that the writer can use one buffer for all events.</summary>
    internal static void Hash(Span<byte> scratch, in LeafHeader header, ReadOnlySpan<byte> data, Span<byte> destination)
    {
        var at = 0;
        scratch[at++] = LeafPrefix;
        scratch[at++] = Format;
        BinaryPrimitives.WriteInt64BigEndian(scratch[at..], header.Position);
        at += 8;
        header.TenantId.TryWriteBytes(scratch[at..], bigEndian: true, out _);
        at += 16;
        header.StreamId.TryWriteBytes(scratch[at..], bigEndian: true, out _);
        at += 16;
        at += WriteText(scratch[at..], header.StreamType);
        BinaryPrimitives.WriteInt64BigEndian(scratch[at..], header.Version);
        at += 8;
        at += WriteText(scratch[at..], header.Type);
        BinaryPrimitives.WriteUInt16BigEndian(scratch[at..], (ushort)header.TypeVersion);
        at += 2;
        BinaryPrimitives.WriteInt64BigEndian(scratch[at..], header.Time);
        at += 8;
        at += WriteText(scratch[at..], header.Actor);
        at += WriteText(scratch[at..], header.Correlation);
        BinaryPrimitives.WriteInt32BigEndian(scratch[at..], data.Length);
        at += 4;
        data.CopyTo(scratch[at..]);
        SHA256.HashData(scratch[..(at + data.Length)], destination);
    }

    private static int WriteText(Span<byte> destination, string text)
    {
        var length = Encoding.UTF8.GetBytes(text, destination[2..]);
        BinaryPrimitives.WriteUInt16BigEndian(destination, checked((ushort)length));
        return 2 + length;
    }
}

internal readonly record struct LeafHeader(
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
