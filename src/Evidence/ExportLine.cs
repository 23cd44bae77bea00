using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Verbatim.Evidence;

/// <summary>
/// The lines of an export, JSON objects each: a begin, then events in the order of the log, with a checkpoint behind each event that one was
/// signed at, and an end. There is exactly one way to write each line, so that a file in which any byte was changed is told from this one.
/// </summary>
public static class ExportLine
{
    /// <summary>Stands in the first line, and changes with the format.</summary>
    public const string Format = "verbatim-export/1";

    internal const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The first line.</summary>
    /// <param name="output">Where it goes, with a line feed.</param>
    /// <param name="origin">The name of the log.</param>
    /// <param name="after">The position before the first event.</param>
    /// <param name="subtrees">What a <see cref="CompactTree"/> of that size begins with.</param>
    public static void WriteBegin(IBufferWriter<byte> output, string origin, long after, IReadOnlyList<byte[]> subtrees)
    {
        ArgumentNullException.ThrowIfNull(subtrees);
        Write(
            output,
            json =>
            {
                json.WriteString("format", Format);
                json.WriteString("origin", origin);
                json.WriteNumber("after", after);
                json.WriteStartArray("subtrees");
                foreach (var subtree in subtrees)
                    json.WriteStringValue(Convert.ToHexStringLower(subtree));
                json.WriteEndArray();
            }
        );
    }

    /// <summary>An event. Its data is a string that holds the exact JSON text, or <c>dataBase64</c> where that is no UTF-8.</summary>
    /// <param name="output">Where it goes, with a line feed.</param>
    /// <param name="header">All but the data.</param>
    /// <param name="data">UTF-8.</param>
    /// <param name="leafHash">The hash that was recorded.</param>
    public static void WriteEvent(
        IBufferWriter<byte> output,
        LeafHeader header,
        ReadOnlyMemory<byte> data,
        ReadOnlyMemory<byte> leafHash
    ) => Write(output, json => WriteEvent(json, header, data, leafHash));

    /// <summary>A checkpoint, behind the last event that it covers.</summary>
    /// <param name="output">Where it goes, with a line feed.</param>
    /// <param name="note">The signed note.</param>
    public static void WriteCheckpoint(IBufferWriter<byte> output, string note) =>
        Write(output, json => json.WriteString("checkpoint", note));

    /// <summary>The last line.</summary>
    /// <param name="output">Where it goes, with a line feed.</param>
    /// <param name="last">The position of the last event.</param>
    /// <param name="checkpoints">How many there are.</param>
    public static void WriteEnd(IBufferWriter<byte> output, long last, int checkpoints) =>
        Write(
            output,
            json =>
            {
                json.WriteNumber("end", last);
                json.WriteNumber("checkpoints", checkpoints);
            }
        );

    internal static void WriteEvent(
        Utf8JsonWriter json,
        LeafHeader header,
        ReadOnlyMemory<byte> data,
        ReadOnlyMemory<byte> leafHash
    )
    {
        json.WriteNumber("position", header.Position);
        json.WriteString("tenantId", header.TenantId);
        json.WriteString("streamId", header.StreamId);
        json.WriteString("streamType", header.StreamType);
        json.WriteNumber("version", header.Version);
        json.WriteString("type", header.Type);
        json.WriteNumber("typeVersion", header.TypeVersion);
        json.WriteString("time", FormatTime(header.Time));
        json.WriteString("actor", header.Actor);
        json.WriteString("correlation", header.Correlation);
        // Bytes that are no UTF-8 cannot stand in a JSON string.
        if (Utf8.IsValid(data.Span))
            json.WriteString("data", data.Span);
        else
            json.WriteBase64String("dataBase64", data.Span);
        json.WriteString("leafHash", Convert.ToHexStringLower(leafHash.Span));
    }

    internal static string FormatTime(long microseconds) =>
        LeafEncoding.TimeOf(microseconds).UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    internal static void Write(IBufferWriter<byte> output, Action<Utf8JsonWriter> properties)
    {
        using (var json = new Utf8JsonWriter(output, Options))
        {
            json.WriteStartObject();
            properties(json);
            json.WriteEndObject();
        }
        output.Write("\n"u8);
    }
}
