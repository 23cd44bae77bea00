using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.OpenAi;

/// <summary>
/// Puts the chunks of a chat-completions stream together into the answer that a client without streaming would have got, and tells what
/// each event is. Never throws on what a provider sends: what cannot be read is counted and passed over, and no half of it is taken.
/// </summary>
/// <remarks>
/// Several choices are told apart by their <c>index</c>. Of fields at the top of chunks and choices, the last value that is not null stays
/// (Azure's filter results, Perplexity's citations, OpenRouter's provider); <c>id</c>, <c>created</c> and <c>model</c> are the first that say
/// something (Azure begins with empty ones). <c>obfuscation</c> is padding against traffic analysis and is left out. Memory is a small
/// multiple of <see cref="DataBytes"/> at the most.
/// </remarks>
/// <param name="knowsRepeated">Chunks that repeat the one before but for their words are not read in full; the answer is the same.</param>
internal sealed class ChatStreamAssembler(bool knowsRepeated = true) : IDisposable
{
    private readonly RepeatedChunk? _repeated = knowsRepeated ? new() : null;
    private readonly List<Staged> _staged = [];
    private readonly List<Choice> _choices = [];
    private readonly MergedJson _fields = new();
    private PooledBytes _id;
    private PooledBytes _created;
    private PooledBytes _model;
    private PooledBytes _usage;
    private PooledBytes _error;

    /// <summary>How many chunks of the answer have come, one with usage only and one with an error included.</summary>
    public int Chunks { get; private set; }

    /// <summary>How many events could not be read as a chunk, and how many came behind <c>[DONE]</c>.</summary>
    public int StrayEvents { get; private set; }

    /// <summary>The bytes of data that have come: bounds what is held in memory and what will be written.</summary>
    public long DataBytes { get; private set; }

    /// <summary><c>[DONE]</c> has come.</summary>
    public bool IsDone { get; private set; }

    /// <summary>A choice has its finish reason.</summary>
    public bool HasFinishReason => _choices.Exists(c => c.IsFinished);

    /// <summary>Nothing of the answer is missing: every choice that began has its finish reason, or <c>[DONE]</c> has come.</summary>
    public bool IsComplete => IsDone || (_choices.Count > 0 && _choices.TrueForAll(c => c.IsFinished));

    /// <summary>The finish reason of the first choice, or null.</summary>
    public string? FinishReason => _choices.Count > 0 ? _choices[0].FinishReason : null;

    /// <summary>The usage that came last; null when none came.</summary>
    public TokenUsage? Usage { get; private set; }

    /// <summary>The error that came in the stream as JSON, empty without one. Valid until the next event.</summary>
    public ReadOnlyMemory<byte> Error => _error.Memory;

    /// <summary>Takes an event of the stream.</summary>
    public ChatStreamEvent Add(in SseEvent sse)
    {
        if (!sse.HasData)
            return ChatStreamEvent.Nothing;
        var kind = Add(sse.Data.Span);
        if (kind != ChatStreamEvent.Chunk || !sse.Name.Span.SequenceEqual("error"u8))
            return kind;
        // 'event: error' whose data is the error itself and not wrapped in one.
        _error.Set(sse.Data.Span);
        return ChatStreamEvent.Error;
    }

    /// <summary>Takes the data of an event.</summary>
    public ChatStreamEvent Add(ReadOnlySpan<byte> data)
    {
        DataBytes += data.Length;
        if (IsDone)
        {
            StrayEvents++;
            return ChatStreamEvent.Late;
        }
        if (IsDoneMark(data))
        {
            IsDone = true;
            return ChatStreamEvent.Done;
        }
        if (_repeated is not null && _repeated.TryTake(data))
        {
            Chunks++;
            return ChatStreamEvent.Chunk;
        }
        if (!TryStage(data, out var summary))
        {
            StrayEvents++;
            return ChatStreamEvent.Unreadable;
        }

        Chunks++;
        foreach (var staged in _staged)
            Take(staged, data);
        if (summary.HasError)
            return ChatStreamEvent.Error;
        if (!summary.HasChoices)
            return summary.HasUsage ? ChatStreamEvent.UsageOnly : ChatStreamEvent.Chunk;
        _repeated?.Learn(data, TextOf);
        return ChatStreamEvent.Chunk;
    }

    /// <summary>The answer so far as a <c>chat.completion</c> object: JSON in UTF-8 whatever has come.</summary>
    public void WriteTo(IBufferWriter<byte> writer)
    {
        writer.Write("{"u8);
        if (_id.Length > 0)
            WriteField(writer, "\"id\":"u8, _id.Span);
        writer.Write("\"object\":\"chat.completion\","u8);
        if (_created.Length > 0)
            WriteField(writer, "\"created\":"u8, _created.Span);
        if (_model.Length > 0)
            WriteField(writer, "\"model\":"u8, _model.Span);
        writer.Write("\"choices\":["u8);
        for (var i = 0; i < _choices.Count; i++)
        {
            if (i > 0)
                writer.Write(","u8);
            _choices[i].WriteTo(writer);
        }
        writer.Write("]"u8);
        if (_usage.Length > 0)
        {
            writer.Write(",\"usage\":"u8);
            writer.WriteUtf8(_usage.Span);
        }
        foreach (var field in _fields.Members)
        {
            writer.Write(","u8);
            field.WriteTo(writer);
        }
        writer.Write("}"u8);
    }

    /// <summary>The answer so far, in an array of its own.</summary>
    public byte[] ToArray()
    {
        var writer = new ArrayBufferWriter<byte>(1024);
        WriteTo(writer);
        return writer.WrittenSpan.ToArray();
    }

    /// <summary>Gives the buffers back.</summary>
    public void Dispose()
    {
        _id.Dispose();
        _created.Dispose();
        _model.Dispose();
        _usage.Dispose();
        _error.Dispose();
        _repeated?.Dispose();
        _fields.Dispose();
        foreach (var choice in _choices)
            choice.Dispose();
        _choices.Clear();
    }

    private static void WriteField(IBufferWriter<byte> writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
    {
        writer.Write(name);
        writer.WriteUtf8(json);
        writer.Write(","u8);
    }

    // OpenAI's clients compare the beginning only.
    private static bool IsDoneMark(ReadOnlySpan<byte> data) => data.TrimStart((byte)' ').StartsWith("[DONE]"u8);

    /// <summary>
    /// Checks that the data is a JSON object, and finds its members. Nothing of the answer changes before the whole of it is known to be
    /// good, so that a chunk that was cut leaves no half of itself.
    /// </summary>
    private bool TryStage(ReadOnlySpan<byte> data, out Summary summary)
    {
        summary = default;
        _staged.Clear();
        try
        {
            var reader = new Utf8JsonReader(data);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var field = FieldOf(ref reader);
                var name = new JsonSlice((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
                reader.Read();
                var start = (int)reader.TokenStartIndex;
                var type = reader.TokenType;
                if (field == Field.Choices)
                    summary.HasChoices |= HasElements(ref reader);
                else
                    reader.Skip();
                var end = (int)reader.BytesConsumed;
                if (IsWanted(field))
                    _staged.Add(new Staged(field, type, name, new JsonSlice(start, end - start)));
                summary.HasError |= field == Field.Error && IsError(type, end - start);
                summary.HasUsage |= field == Field.Usage && type == JsonTokenType.StartObject;
            }
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // As OpenAI's clients judge it: null, false and "" are no error.
    private static bool IsError(JsonTokenType type, int length) =>
        type is not (JsonTokenType.Null or JsonTokenType.False) && !(type == JsonTokenType.String && length == 2);

    private static bool HasElements(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return false;
        }
        var any = false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            any = true;
            reader.Skip();
        }
        return any;
    }

    private bool IsWanted(Field field) =>
        field switch
        {
            Field.Ignored => false,
            Field.Id => _id.Length == 0,
            Field.Created => _created.Length == 0,
            Field.Model => _model.Length == 0,
            _ => true,
        };

    private void Take(Staged staged, ReadOnlySpan<byte> data)
    {
        var value = staged.Value.Of(data);
        switch (staged.Field)
        {
            case Field.Id:
                TakeFirst(ref _id, staged.Type, value);
                break;
            case Field.Created:
                TakeFirst(ref _created, staged.Type, value);
                break;
            case Field.Model:
                TakeFirst(ref _model, staged.Type, value);
                break;
            case Field.Usage:
                if (staged.Type == JsonTokenType.StartObject && TokenUsage.TryRead(value, out var usage))
                {
                    _usage.Set(value);
                    Usage = usage;
                }
                break;
            case Field.Error:
                if (IsError(staged.Type, value.Length))
                    _error.Set(value);
                break;
            case Field.Choices:
                if (staged.Type == JsonTokenType.StartArray)
                    TakeChoices(value);
                break;
            default:
                if (staged.Type != JsonTokenType.Null)
                    _fields.Replace(staged.Name.Of(data), value);
                break;
        }
    }

    private static void TakeFirst(ref PooledBytes field, JsonTokenType type, ReadOnlySpan<byte> value)
    {
        if (type == JsonTokenType.Null || value.SequenceEqual("\"\""u8) || value.SequenceEqual("0"u8))
            return;
        if (field.Length == 0)
            field.Set(value);
    }

    private void TakeChoices(ReadOnlySpan<byte> choices)
    {
        var reader = new Utf8JsonReader(choices);
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.StartObject && ChoiceAt(IndexOf(reader)) is { } choice)
                choice.Merge(ref reader, choices);
            else
                reader.Skip();
        }
    }

    /// <summary>Looks ahead for the index: the reader is a copy. Mostly it is the first member.</summary>
    private static int IndexOf(Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIndex = JsonNames.Is(ref reader, "index"u8);
            reader.Read();
            if (isIndex)
                return reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var index) ? index : 0;
            reader.Skip();
        }
        return 0;
    }

    private MergedJson? TextOf(int index, ReadOnlySpan<byte> name) =>
        _choices.Find(c => c.Index == index)?.TextOf(name);

    private Choice? ChoiceAt(int index)
    {
        var at = _choices.Count;
        while (at > 0 && _choices[at - 1].Index >= index)
            at--;
        if (at < _choices.Count && _choices[at].Index == index)
            return _choices[at];
        if (_choices.Count == MergedJson.MaxEntries)
            return null;
        var added = new Choice(index);
        _choices.Insert(at, added);
        return added;
    }

    private static Field FieldOf(ref Utf8JsonReader reader)
    {
        var name = MergedJson.NameOf(ref reader);
        return name.Length switch
        {
            2 when name.SequenceEqual("id"u8) => Field.Id,
            5 when name.SequenceEqual("model"u8) => Field.Model,
            5 when name.SequenceEqual("usage"u8) => Field.Usage,
            5 when name.SequenceEqual("error"u8) => Field.Error,
            6 when name.SequenceEqual("object"u8) => Field.Ignored,
            7 when name.SequenceEqual("choices"u8) => Field.Choices,
            7 when name.SequenceEqual("created"u8) => Field.Created,
            11 when name.SequenceEqual("obfuscation"u8) => Field.Ignored,
            _ => Field.Other,
        };
    }

    private enum Field
    {
        Other,
        Ignored,
        Id,
        Created,
        Model,
        Choices,
        Usage,
        Error,
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Staged(Field Field, JsonTokenType Type, JsonSlice Name, JsonSlice Value);

    private struct Summary
    {
        public bool HasChoices;
        public bool HasUsage;
        public bool HasError;
    }

    private sealed class Choice(int index) : IDisposable
    {
        private readonly MergedJson _message = new();
        private readonly MergedJson _logprobs = new();
        private readonly MergedJson _fields = new();
        private PooledBytes _wholeMessage;
        private bool _mentionsLogprobs;
        private PooledBytes _finishReason;

        public int Index { get; } = index;

        public bool IsFinished => _finishReason.Length > 0;

        public string? FinishReason
        {
            get
            {
                if (!IsFinished)
                    return null;
                var reader = new Utf8JsonReader(_finishReason.Span);
                reader.Read();
                try
                {
                    return reader.GetString();
                }
                catch (InvalidOperationException)
                {
                    return Encoding.UTF8.GetString(reader.ValueSpan);
                }
            }
        }

        public MergedJson? TextOf(ReadOnlySpan<byte> name) => _message.FindText(name);

        public void Merge(ref Utf8JsonReader reader, ReadOnlySpan<byte> source)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = MergedJson.NameOf(ref reader);
                reader.Read();
                if (name.SequenceEqual("delta"u8))
                    MergeDelta(ref reader, source);
                else if (name.SequenceEqual("finish_reason"u8))
                    MergeFinishReason(ref reader, source);
                else if (name.SequenceEqual("logprobs"u8))
                    MergeLogprobs(ref reader, source);
                else if (name.SequenceEqual("message"u8))
                    MergeWholeMessage(ref reader, source);
                else if (name.SequenceEqual("index"u8))
                    reader.Skip();
                else if (reader.TokenType != JsonTokenType.Null)
                    _fields.Replace(name, JsonSlice.OfValue(ref reader).Of(source));
            }
        }

        public void WriteTo(IBufferWriter<byte> writer)
        {
            writer.Write("{\"index\":"u8);
            var digits = writer.GetSpan(11);
            _ = System.Buffers.Text.Utf8Formatter.TryFormat(Index, digits, out var written);
            writer.Advance(written);
            writer.Write(",\"message\":"u8);
            if (_wholeMessage.Length > 0 && !HasMessage())
                writer.WriteUtf8(_wholeMessage.Span);
            else
                WriteMessage(writer);
            if (_mentionsLogprobs)
            {
                writer.Write(",\"logprobs\":"u8);
                _logprobs.WriteTo(writer);
            }
            writer.Write(",\"finish_reason\":"u8);
            writer.WriteUtf8(IsFinished ? _finishReason.Span : "null"u8);
            foreach (var field in _fields.Members)
            {
                writer.Write(","u8);
                field.WriteTo(writer);
            }
            writer.Write("}"u8);
        }

        public void Dispose()
        {
            _message.Dispose();
            _logprobs.Dispose();
            _fields.Dispose();
            _wholeMessage.Dispose();
            _finishReason.Dispose();
        }

        private void MergeDelta(ref Utf8JsonReader reader, ReadOnlySpan<byte> source)
        {
            if (reader.TokenType == JsonTokenType.StartObject)
                _message.Merge(ref reader, source, MergedShape.Message);
            else
                reader.Skip();
        }

        private void MergeFinishReason(ref Utf8JsonReader reader, ReadOnlySpan<byte> source)
        {
            if (reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length > 0)
                _finishReason.Set(JsonSlice.OfValue(ref reader).Of(source));
            else
                reader.Skip();
        }

        private void MergeLogprobs(ref Utf8JsonReader reader, ReadOnlySpan<byte> source)
        {
            _mentionsLogprobs = true;
            _logprobs.Merge(ref reader, source, MergedShape.Log);
        }

        // Perplexity repeats the whole message so far beside each delta: it stands only where no delta says anything.
        private void MergeWholeMessage(ref Utf8JsonReader reader, ReadOnlySpan<byte> source)
        {
            if (reader.TokenType == JsonTokenType.StartObject)
                _wholeMessage.Set(JsonSlice.OfValue(ref reader).Of(source));
            else
                reader.Skip();
        }

        private bool HasMessage()
        {
            foreach (var member in _message.Members)
            {
                if (!member.Is("role"u8) && member.Value.HasValue)
                    return true;
            }
            return false;
        }

        private void WriteMessage(IBufferWriter<byte> writer)
        {
            writer.Write("{\"role\":"u8);
            if (_message.Find("role"u8) is { HasValue: true } role)
                role.WriteTo(writer);
            else
                writer.Write("\"assistant\""u8);
            writer.Write(",\"content\":"u8);
            if (_message.Find("content"u8) is { } content)
                content.WriteTo(writer);
            else
                writer.Write("null"u8);
            foreach (var member in _message.Members)
            {
                if (member.Is("role"u8) || member.Is("content"u8))
                    continue;
                writer.Write(","u8);
                member.WriteTo(writer);
            }
            writer.Write("}"u8);
        }
    }
}
