using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Verbatim.Platform.Events;

/// <summary>Writes events and states as JSON in UTF-8.</summary>
internal static class RecordJson
{
    // A buffer that has grown beyond this is given away with what was written into it, instead of being copied and kept.
    private const int LargestKept = 64 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? buffer;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? output;

    /// <summary>
    /// Where the record at hand goes, for a converter that has much to write: it flushes the JSON writer, and puts what comes next here itself.
    /// </summary>
    public static IBufferWriter<byte> Output =>
        output ?? throw new InvalidOperationException("No record is being written on this thread.");

    /// <summary>The JSON. Holds no more memory than its length, however large it is.</summary>
    public static ReadOnlyMemory<byte> Write(object record, JsonTypeInfo json)
    {
        var written = buffer ?? new ArrayBufferWriter<byte>(LargestKept);
        buffer = null;
        written.ResetWrittenCount();
        output = written;
        try
        {
            var options = json.Options;
            using var writer = new Utf8JsonWriter(
                written,
                new JsonWriterOptions
                {
                    Encoder = options.Encoder,
                    MaxDepth = options.MaxDepth,
                    SkipValidation = true,
                }
            );
            JsonSerializer.Serialize(writer, record, json);
        }
        finally
        {
            output = null;
        }
        if (written.Capacity > LargestKept)
            return written.WrittenMemory;
        buffer = written;
        return written.WrittenSpan.ToArray();
    }
}
