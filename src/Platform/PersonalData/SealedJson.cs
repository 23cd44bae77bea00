using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.PersonalData;

/// <summary>
/// How a sealed value stands in JSON: <c>{"sealed":"…","of":"…"}</c> with the sealed bytes in base64 and the person's id; <c>"sealed":null</c>
/// for what was recorded when the person had been erased already. Behind them <c>"day":"2026-11-22"</c> for what ends with that day too.
/// </summary>
internal static class SealedJson
{
    // No property of ours is longer; what a caller sends may be.
    public const int MaxPropertyLength = 100;

    // The pool rounds up to a power of two, and keeps for a long time what is given back.
    private const int LargestPooled = 1024 * 1024;

    private static readonly byte[] ErasedLiteral = JsonSerializer.SerializeToUtf8Bytes(PersonalAttribute.Erased);

    public static void Write(
        Utf8JsonWriter writer,
        SubjectKey key,
        Guid subject,
        DayKey? day,
        ReadOnlySpan<byte> value,
        string property
    )
    {
        var scope = SealingScope.Current;
        writer.WriteStartObject();
        if (key.IsErased || day is { Key.IsErased: true })
        {
            writer.WriteNull("sealed"u8);
        }
        else
        {
            var size = SubjectKey.SealedSize(value.Length);
            if (size > LargestPooled)
            {
                writer.WritePropertyName("sealed"u8);
                writer.Flush();
                WriteLarge(RecordJson.Output, key, scope.PlaceOf(property), day?.Key, scope.IsRepeatable, value);
            }
            else
            {
                var buffer = ArrayPool<byte>.Shared.Rent(size);
                key.Seal(value, scope.PlaceOf(property), day?.Key, scope.IsRepeatable, buffer.AsSpan(0, size));
                writer.WriteBase64String("sealed"u8, buffer.AsSpan(0, size));
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
        writer.WriteString("of"u8, subject);
        if (day is not null)
            PersonalDays.Write(writer, day.Day);
        writer.WriteEndObject();
    }

    /// <summary>Reads the object that the reader stands at the beginning of, to its end.</summary>
    /// <returns>False when it is no sealed value.</returns>
    public static bool TryRead(ref Utf8JsonReader reader, out SealedValue value)
    {
        value = default;
        Memory<byte>? sealedBytes = null;
        if (
            !(
                reader.TokenType == JsonTokenType.StartObject
                && reader.Read()
                && reader.TokenType == JsonTokenType.PropertyName
                && reader.ValueSpan.SequenceEqual("sealed"u8)
                && reader.Read()
                && (
                    reader.TokenType == JsonTokenType.Null
                    || (IsPlainString(reader) && TryDecode(reader.ValueSpan, out sealedBytes))
                )
                && reader.Read()
                && reader.TokenType == JsonTokenType.PropertyName
                && reader.ValueSpan.SequenceEqual("of"u8)
                && reader.Read()
                && IsPlainString(reader)
                && reader.TryGetGuid(out var subject)
                && reader.Read()
            )
        )
            return false;
        DateOnly? day = null;
        if (reader.TokenType == JsonTokenType.PropertyName)
        {
            if (
                !reader.ValueSpan.SequenceEqual("day"u8)
                || !reader.Read()
                || !IsPlainString(reader)
                || !PersonalDays.TryParse(reader.ValueSpan, out var read)
                || !reader.Read()
            )
                return false;
            day = read;
        }
        value = new SealedValue(sealedBytes, subject, day);
        return reader.TokenType == JsonTokenType.EndObject;
    }

    /// <summary>Puts what was sealed in the place of sealed values; the rest stays as it is, byte by byte.</summary>
    /// <param name="stored">Well-formed JSON; anything else comes back as it is.</param>
    /// <param name="scope">Whose values they are, and where they stand. Learns of keys that it lacks.</param>
    public static ReadOnlyMemory<byte> Open(ReadOnlyMemory<byte> stored, SealingScope scope)
    {
        if (stored.Span.IndexOf("{\"sealed\":"u8) < 0)
            return stored;
        var opened = new ArrayBufferWriter<byte>(stored.Length);
        var copied = 0;
        var reader = new Utf8JsonReader(stored.Span, new JsonReaderOptions { MaxDepth = 512 });
        string? property = null;
        try
        {
            while (reader.Read())
            {
                var begin = (int)reader.TokenStartIndex;
                var ahead = reader;
                if (
                    property is not null
                    && TryRead(ref ahead, out var found)
                    && TryOpen(found, property, scope, out var value)
                )
                {
                    opened.Write(stored.Span[copied..begin]);
                    opened.Write(value.Span);
                    copied = (int)ahead.BytesConsumed;
                    reader = ahead;
                }
                property =
                    reader is { TokenType: JsonTokenType.PropertyName, ValueIsEscaped: false }
                    && reader.ValueSpan.Length <= MaxPropertyLength
                    && Ascii.IsValid(reader.ValueSpan)
                        ? Encoding.ASCII.GetString(reader.ValueSpan)
                        : null;
            }
        }
        catch (JsonException)
        {
            return stored;
        }
        opened.Write(stored.Span[copied..]);
        return opened.WrittenMemory;
    }

    // Where it will stand, without a buffer of its own: sealed, then made base64 in place. The JSON writer, which does not see it, stands behind a
    // property's name, and so puts no comma before the next one.
    private static void WriteLarge(
        IBufferWriter<byte> output,
        SubjectKey key,
        in SealedPlace place,
        SubjectKey? day,
        bool isRepeatable,
        ReadOnlySpan<byte> value
    )
    {
        var size = SubjectKey.SealedSize(value.Length);
        var encoded = Base64.GetMaxEncodedToUtf8Length(size);
        var span = output.GetSpan(encoded + 3);
        span[0] = (byte)'"';
        key.Seal(value, place, day, isRepeatable, span.Slice(1, size));
        Base64.EncodeToUtf8InPlace(span.Slice(1, encoded), size, out _);
        span[encoded + 1] = (byte)'"';
        span[encoded + 2] = (byte)',';
        output.Advance(encoded + 3);
    }

    // Escapes in what a caller sent may stand for half of a surrogate pair, at which the reader throws; we write none.
    private static bool IsPlainString(Utf8JsonReader reader) =>
        reader is { TokenType: JsonTokenType.String, ValueIsEscaped: false };

    private static bool TryDecode(ReadOnlySpan<byte> base64, out Memory<byte>? bytes)
    {
        var buffer = new byte[Base64.GetMaxDecodedFromUtf8Length(base64.Length)];
        var isDecoded = Base64.DecodeFromUtf8(base64, buffer, out _, out var length) == OperationStatus.Done;
        bytes = isDecoded ? buffer.AsMemory(0, length) : null;
        return isDecoded;
    }

    // What only looks like a sealed value, in the body of a caller perhaps, does not open.
    private static bool TryOpen(
        in SealedValue found,
        string property,
        SealingScope scope,
        out ReadOnlyMemory<byte> value
    )
    {
        try
        {
            value = scope.Open(found, property) ?? ErasedLiteral;
            return true;
        }
        catch (CryptographicException)
        {
            value = default;
            return false;
        }
    }
}

/// <summary>A sealed value as it was found in JSON.</summary>
/// <param name="Bytes">Null when it was recorded after the erasure.</param>
/// <param name="Subject">The person.</param>
/// <param name="Day">The day that it ends with, if it does.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SealedValue(Memory<byte>? Bytes, Guid Subject, DateOnly? Day);
