using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Verbatim.Modules.Audit.Changes;
using Verbatim.Modules.Audit.Streams;

namespace Verbatim.Modules.Audit.Replay;

/// <summary>
/// One JSON object a line for each event. <c>data</c> is the exact text that is stored. If that text has line breaks of its own, they become
/// spaces there, and <c>dataText</c> holds the exact text as a string. Where values in it are sealed, <c>openedData</c> has them opened.
/// </summary>
internal sealed class JsonReplay(TextWriter output) : IReplayWriter
{
    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    private readonly ArrayBufferWriter<byte> _line = new();

    public Task BeginAsync(FoundStream stream, long shown, long version, bool hasDocument) => Task.CompletedTask;

    public async Task WriteAsync(FoundStream stream, StateStep step)
    {
        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line, Options))
            Write(json, stream, step);
        await output.WriteAsync(Encoding.UTF8.GetString(_line.WrittenSpan));
        await output.WriteAsync('\n');
    }

    public Task EndAsync() => Task.CompletedTask;

    private static void Write(Utf8JsonWriter json, FoundStream stream, StateStep step)
    {
        var recorded = step.Event;
        json.WriteStartObject();
        json.WriteString("organizationId", stream.TenantId);
        json.WriteString("streamId", stream.StreamId);
        json.WriteString("streamType", recorded.StreamType);
        json.WriteNumber("position", recorded.Position);
        json.WriteNumber("version", recorded.Version);
        json.WriteString("type", recorded.Type);
        json.WriteNumber("typeVersion", recorded.TypeVersion);
        json.WriteString("time", Times.Of(recorded.Time));
        json.WriteString("actor", recorded.Actor);
        json.WriteString("correlation", recorded.Correlation);
        json.WritePropertyName("data");
        if (WriteOnOneLine(json, recorded.Data))
            json.WriteString("dataText", Encoding.UTF8.GetString(recorded.Data.Span));
        if (step.Opened is { } opened)
        {
            json.WritePropertyName("openedData");
            WriteOnOneLine(json, opened.Utf8);
        }
        json.WriteString("leafHash", Convert.ToHexStringLower(recorded.LeafHash.Span));
        json.WriteBoolean("isIntact", step.IsIntact);
        json.WritePropertyName("state");
        if (step.After is { } state)
            WriteOnOneLine(json, state.Utf8);
        else
            json.WriteNullValue();
        if (step.Fault is { } fault)
            json.WriteString("stateFault", fault.Message);
        json.WriteEndObject();
    }

    // A line break in JSON stands between its tokens: inside a string it is escaped (RFC 8259 §7).
    private static bool WriteOnOneLine(Utf8JsonWriter json, ReadOnlyMemory<byte> raw)
    {
        var hasBreaks = raw.Span.IndexOfAny((byte)'\n', (byte)'\r') >= 0;
        if (!hasBreaks)
        {
            json.WriteRawValue(raw.Span, skipInputValidation: true);
            return false;
        }
        var line = raw.ToArray();
        line.AsSpan().Replace((byte)'\n', (byte)' ');
        line.AsSpan().Replace((byte)'\r', (byte)' ');
        json.WriteRawValue(line, skipInputValidation: true);
        return true;
    }
}
