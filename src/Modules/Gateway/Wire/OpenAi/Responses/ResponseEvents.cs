using System.Globalization;
using System.Text;
using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Wire.OpenAi.Responses;

/// <summary>Events of a response's stream as they are written here (OpenAI's API reference, "Streaming events").</summary>
internal static class ResponseEvents
{
    /// <summary>Writes an event.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="type">Its type.</param>
    /// <param name="data">An object on any number of lines.</param>
    public static void Write(ref PooledBytes output, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        output.Append("event: "u8);
        output.Append(type);
        output.Append("\ndata: "u8);
        // A line end is white space here: in a string of JSON it is escaped.
        for (int end; (end = data.IndexOfAny((byte)'\n', (byte)'\r')) >= 0; data = data[(end + 1)..])
        {
            output.Append(data[..end]);
            output.Append(" "u8);
        }
        output.Append(data);
        output.Append("\n\n"u8);
    }

    /// <summary>Writes an event that tells of the whole response.</summary>
    public static void Write(ref PooledBytes output, string type, int number, ReadOnlyMemory<byte> response)
    {
        var name = Encoding.ASCII.GetBytes(type);
        Write(
            ref output,
            name,
            (byte[])
                [
                    .. "{\"type\":\""u8,
                    .. name,
                    .. "\",\"sequence_number\":"u8,
                    .. Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)),
                    .. ",\"response\":"u8,
                    .. response.Span,
                    (byte)'}',
                ]
        );
    }

    /// <summary>Writes an event under another number.</summary>
    public static void WriteNumbered(
        ref PooledBytes output,
        ReadOnlySpan<byte> type,
        int number,
        ReadOnlySpan<byte> data
    ) =>
        Write(
            ref output,
            type,
            JsonMembers.With(
                data,
                new JsonMember(
                    "sequence_number",
                    Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture))
                )
            )
        );

    /// <summary>The number of an event as it is written here; -1 where it has none.</summary>
    public static int NumberOf(ReadOnlySpan<byte> data)
    {
        if (!JsonObjects.IsWellFormed(data))
            return -1;
        var reader = new Utf8JsonReader(data);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "sequence_number"u8))
                return JsonReading.Number(ref reader) ?? -1;
            reader.Skip();
        }
        return -1;
    }
}
