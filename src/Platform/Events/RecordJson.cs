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

    /// <summary>The JSON. Holds no more memory than its length, however large it is.</summary>
    public static ReadOnlyMemory<byte> Write(object record, JsonTypeInfo json)
    {
        var written = buffer ?? new ArrayBufferWriter<byte>(LargestKept);
        buffer = null;
        written.ResetWrittenCount();
        var options = json.Options;
        using (
            var writer = new Utf8JsonWriter(
                written,
                new JsonWriterOptions
                {
                    Encoder = options.Encoder,
                    MaxDepth = options.MaxDepth,
                    SkipValidation = true,
                }
            )
        )
            JsonSerializer.Serialize(writer, record, json);
        if (written.Capacity > LargestKept)
            return written.WrittenMemory;
        buffer = written;
        return written.WrittenSpan.ToArray();
    }
}
