using System.Buffers;
using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.OpenAi.Responses;

/// <summary>
/// Errors of OpenAI's responses: as elsewhere on that wire, but in a stream an event of its own with a number (API reference, "Streaming events",
/// <c>error</c>).
/// </summary>
internal sealed class ResponsesErrors : OpenAiErrors
{
    /// <summary>The dialect, as metadata of a route.</summary>
    public static readonly ResponsesErrors ForResponses = new();

    /// <inheritdoc/>
    public override void WriteEvent(IBufferWriter<byte> writer, WireError error, string requestId, int sequence)
    {
        ArgumentNullException.ThrowIfNull(error);
        writer.Write("event: error\ndata: "u8);
        using (var json = new Utf8JsonWriter(writer, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "error"u8);
            json.WriteNumber("sequence_number"u8, sequence);
            json.WriteString("code"u8, error.Code);
            json.WriteString("message"u8, error.Message);
            json.WriteString("param"u8, error.Param);
            json.WriteEndObject();
        }
        writer.Write("\n\n"u8);
    }
}
