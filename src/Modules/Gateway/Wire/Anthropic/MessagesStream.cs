using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Wire.Anthropic;

/// <summary>
/// A stream of Anthropic's messages between two sides that both speak that wire: the bytes stay as they are, pings and what is not known too
/// (Claude documentation, "Streaming Messages").
/// </summary>
internal sealed class MessagesStream : AnswerStream
{
    private readonly MessageAssembler _message = new();
    private MessagesUsage _usage;
    private bool _hasUsage;
    private int _chunks;
    private bool _isComplete;
    private bool _isDone;
    private WireError? _error;

    public override int Chunks => _chunks;

    public override bool IsComplete => _isComplete;

    public override bool IsDone => _isDone;

    public override bool HasError => _error is not null;

    public override WireError? Error => _error;

    public override TokenUsage? Usage => _hasUsage ? _usage.ToTokenUsage() : null;

    public override ReadOnlyMemory<byte> Relay(in SseEvent sse)
    {
        // Behind the end clients no longer look.
        if (_isDone)
            return default;
        if (sse.HasData && JsonObjects.IsWellFormed(sse.Data.Span))
            Read(sse.Data.Span, sse.Name.Span);
        return sse.Raw;
    }

    public override byte[] ToArray() => _message.ToArray();

    protected override void Dispose(bool disposing) => _message.Dispose();

    private void Read(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        var reader = new Utf8JsonReader(data);
        reader.Read();
        var type = TypeOf(reader);
        if (type.IsEmpty)
            type = name;
        if (type.SequenceEqual("ping"u8))
            return;
        _chunks++;
        var index = 0;
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "index"u8))
                index = JsonReading.Number(ref reader) ?? 0;
            else if (JsonNames.Is(ref reader, "usage"u8))
                ReadUsage(JsonReading.Raw(ref reader, data));
            else if (JsonNames.Is(ref reader, "message"u8) && type.SequenceEqual("message_start"u8))
                ReadStart(JsonReading.Raw(ref reader, data));
            else if (JsonNames.Is(ref reader, "content_block"u8))
                _message.Begin(index, JsonReading.Raw(ref reader, data));
            else if (JsonNames.Is(ref reader, "delta"u8))
                ReadDelta(type, index, JsonReading.Raw(ref reader, data));
            else
                reader.Skip();
        }
        _isDone |= type.SequenceEqual("message_stop"u8);
        _isComplete |= _isDone;
        if (type.SequenceEqual("error"u8))
            _error ??= ProviderErrors.InStream(data);
    }

    /// <summary>Looks ahead: the reader is a copy. Mostly it is the first member.</summary>
    private static ReadOnlySpan<byte> TypeOf(Utf8JsonReader reader)
    {
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "type"u8))
                return JsonReading.Text(ref reader);
            reader.Skip();
        }
        return default;
    }

    private void ReadStart(ReadOnlySpan<byte> message)
    {
        if (message[0] != '{')
            return;
        _message.Start(message);
        var reader = new Utf8JsonReader(message);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "usage"u8))
                CountUsage(JsonReading.Raw(ref reader, message));
            else
                reader.Skip();
        }
    }

    private void ReadUsage(ReadOnlySpan<byte> usage)
    {
        _message.MergeUsage(usage);
        CountUsage(usage);
    }

    private void CountUsage(ReadOnlySpan<byte> usage)
    {
        if (usage[0] != '{')
            return;
        var reader = new Utf8JsonReader(usage);
        reader.Read();
        _usage.Merge(ref reader);
        _hasUsage = true;
    }

    private void ReadDelta(ReadOnlySpan<byte> type, int index, ReadOnlySpan<byte> delta)
    {
        if (delta[0] != '{')
            return;
        if (!type.SequenceEqual("message_delta"u8))
            _message.Append(index, delta);
        else
            _isComplete |= _message.MergeEnd(delta);
    }
}
