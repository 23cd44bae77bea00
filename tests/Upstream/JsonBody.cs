using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Verbatim.Tests.Upstream;

/// <summary>Writes JSON as providers do.</summary>
internal static class JsonBody
{
    /// <summary>They leave everything but quotes, backslashes and control characters as it is.</summary>
    public static JavaScriptEncoder Encoder => JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static byte[] Compact(Action<Utf8JsonWriter> write) =>
        Write(write, new JsonWriterOptions { Encoder = Encoder });

    /// <summary>With line feeds, and one at the end.</summary>
    public static byte[] Indented(Action<Utf8JsonWriter> write, int size = 2) =>
        [
            .. Write(
                write,
                new JsonWriterOptions
                {
                    Encoder = Encoder,
                    Indented = true,
                    IndentSize = size,
                    NewLine = "\n",
                }
            ),
            (byte)'\n',
        ];

    private static byte[] Write(Action<Utf8JsonWriter> write, JsonWriterOptions options)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, options))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}

/// <summary>Writes fields that are JSON already.</summary>
internal static class JsonWriterExtensions
{
    public static void WriteRaw(this Utf8JsonWriter writer, ReadOnlySpan<byte> name, string json)
    {
        writer.WritePropertyName(name);
        writer.WriteRawValue(json);
    }
}
