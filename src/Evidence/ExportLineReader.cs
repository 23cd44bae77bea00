using System.Globalization;
using System.Text.Json;

namespace Verbatim.Evidence;

/// <summary>Reads the parts of a line. Whatever is not as it is written throws what <see cref="ExportVerifier"/> catches.</summary>
/// <remarks>The reader stands on a name; after each part it stands on the next name, or on the end of the object.</remarks>
internal sealed class ExportLineReader
{
    private byte[] _data = new byte[4096];

    public static string Text(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        Name(ref reader, name);
        var text = reader.GetString() ?? throw new FormatException();
        reader.Read();
        return text;
    }

    public static long Number(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        Name(ref reader, name);
        var number = reader.GetInt64();
        reader.Read();
        return number;
    }

    public static bool Boolean(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        Name(ref reader, name);
        var value = reader.GetBoolean();
        reader.Read();
        return value;
    }

    public static List<byte[]> Hashes(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        Name(ref reader, name);
        var bytes = reader.GetBytesFromBase64();
        reader.Read();
        if (bytes.Length % MerkleTree.HashSize != 0)
            throw new FormatException();
        return [.. bytes.Chunk(MerkleTree.HashSize)];
    }

    public static void Name(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals(name) || !reader.Read())
            throw new FormatException();
    }

    /// <summary>An event. Its data is valid until the next one is read.</summary>
    public ExportedEvent Event(ref Utf8JsonReader reader)
    {
        var position = Number(ref reader, "position"u8);
        var tenantId = Id(ref reader, "tenantId"u8);
        var streamId = Id(ref reader, "streamId"u8);
        var streamType = Text(ref reader, "streamType"u8);
        var version = Number(ref reader, "version"u8);
        var type = Text(ref reader, "type"u8);
        var typeVersion = (int)Number(ref reader, "typeVersion"u8);
        var time = DateTimeOffset.ParseExact(
            Text(ref reader, "time"u8),
            ExportLine.TimeFormat,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal
        );
        var header = new LeafHeader(
            position,
            tenantId,
            streamId,
            streamType,
            version,
            type,
            typeVersion,
            LeafEncoding.Microseconds(time),
            Text(ref reader, "actor"u8),
            Text(ref reader, "correlation"u8)
        );
        // Bytes that are no UTF-8 cannot stand in a JSON string.
        var isText = reader.ValueTextEquals("data"u8);
        Name(ref reader, isText ? "data"u8 : "dataBase64"u8);
        var length = reader.HasValueSequence ? (int)reader.ValueSequence.Length : reader.ValueSpan.Length;
        if (_data.Length < length)
            _data = new byte[Math.Max(length, _data.Length * 2)];
        ReadOnlyMemory<byte> data = isText ? _data.AsMemory(0, reader.CopyString(_data)) : reader.GetBytesFromBase64();
        reader.Read();
        return new ExportedEvent(header, data, Convert.FromHexString(Text(ref reader, "leafHash"u8)));
    }

    private static Guid Id(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        Name(ref reader, name);
        var id = reader.GetGuid();
        reader.Read();
        return id;
    }
}

/// <summary>An event of an export.</summary>
internal sealed record ExportedEvent(LeafHeader Header, ReadOnlyMemory<byte> Data, byte[] LeafHash)
{
    /// <summary>Hashes the event again, and tells whether that is its leaf hash.</summary>
    public bool HasItsLeafHash(ref byte[] scratch)
    {
        Span<byte> hash = stackalloc byte[LeafEncoding.HashSize];
        LeafEncoding.Hash(ref scratch, Header, Data.Span, hash);
        return hash.SequenceEqual(LeafHash);
    }
}
