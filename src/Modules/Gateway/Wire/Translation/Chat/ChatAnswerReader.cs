using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation.Chat;

/// <summary>
/// Reads an answer of the chat-completions wire. Of several choices the first is read: no other wire has a word for the others, so they were
/// not asked for.
/// </summary>
internal sealed class ChatAnswerReader(Answer answer) : AnswerReader(answer)
{
    private readonly ChatToolCalls _calls = new(answer);
    private PooledBytes _lateText;
    private PooledBytes _lateThought;
    private CollectedDetails? _details;
    private bool _isSealed;
    private FinishReason _reason;

    public override void Read(in SseEvent sse)
    {
        if (!sse.HasData || IsDone)
            return;
        var data = sse.Data.Span;
        // OpenAI's clients compare the beginning only.
        if (data.TrimStart((byte)' ').StartsWith("[DONE]"u8))
        {
            IsDone = true;
            Answer.Complete();
            return;
        }
        if (!JsonObjects.IsWellFormed(data))
            return;
        Events++;
        if (sse.Name.Span.SequenceEqual("error"u8))
            Answer.Fail(ProviderErrors.InStream(data));
        else
            ReadBody(data, isWhole: false);
    }

    public override void End() => Answer.Complete();

    public override bool TryReadWhole(ReadOnlySpan<byte> json)
    {
        if (!JsonObjects.IsObject(json) || !HasChoice(json))
            return false;
        ReadBody(json, isWhole: true);
        if (Answer.Error is not null)
            return false;
        Flush();
        Answer.Finish(_reason == FinishReason.None ? FinishReason.Stop : _reason);
        Answer.Complete();
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _calls.Dispose();
        _lateText.Dispose();
        _lateThought.Dispose();
    }

    private static bool HasChoice(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            if (!JsonNames.Is(ref reader, "choices"u8))
                reader.Skip();
            else if (JsonReading.EnterList(ref reader))
                return JsonReading.NextElement(ref reader) && reader.TokenType == JsonTokenType.StartObject;
        }
        return false;
    }

    private void ReadBody(ReadOnlySpan<byte> json, bool isWhole)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        var model = default(ReadOnlySpan<byte>);
        var choices = default(JsonSlice);
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "choices"u8))
            {
                reader.Read();
                choices = JsonSlice.OfValue(ref reader);
            }
            else if (JsonNames.Is(ref reader, "model"u8))
                model = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "usage"u8))
                ReadUsage(JsonReading.Raw(ref reader, json));
            else if (JsonNames.Is(ref reader, "error"u8))
                ReadError(JsonReading.Raw(ref reader, json), json);
            else
                reader.Skip();
        }
        if (choices.Length == 0 || Answer.Error is not null)
            return;
        Answer.Start(model);
        ReadChoices(choices.Of(json), isWhole);
        if (_reason == FinishReason.None || isWhole)
            return;
        Flush();
        Answer.Finish(_reason);
    }

    private void ReadUsage(ReadOnlySpan<byte> usage)
    {
        if (TokenUsage.TryRead(usage, out var counted))
            Answer.Count(counted);
    }

    // As OpenAI's clients judge it: null, false and "" are no error.
    private void ReadError(ReadOnlySpan<byte> error, ReadOnlySpan<byte> json)
    {
        if (!error.SequenceEqual("null"u8) && !error.SequenceEqual("false"u8) && !error.SequenceEqual("\"\""u8))
            Answer.Fail(ProviderErrors.InStream(json));
    }

    private void ReadChoices(ReadOnlySpan<byte> choices, bool isWhole)
    {
        var reader = new Utf8JsonReader(choices);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
            return;
        while (JsonReading.NextElement(ref reader))
        {
            if (reader.TokenType != JsonTokenType.StartObject || IsAnother(reader))
                reader.Skip();
            else
                ReadChoice(ref reader, choices, isWhole);
        }
    }

    /// <summary>Looks ahead: the reader is a copy.</summary>
    private static bool IsAnother(Utf8JsonReader reader)
    {
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "index"u8))
                return JsonReading.Number(ref reader) is not (null or 0);
            reader.Skip();
        }
        return false;
    }

    private void ReadChoice(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> source, bool isWhole)
    {
        var said = default(JsonSlice);
        var logprobs = default(ReadOnlySpan<byte>);
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, isWhole ? "message"u8 : "delta"u8))
            {
                reader.Read();
                said = JsonSlice.OfValue(ref reader);
            }
            else if (JsonNames.Is(ref reader, "finish_reason"u8))
                _reason = ReasonOf(JsonReading.Text(ref reader));
            else if (JsonNames.Is(ref reader, "logprobs"u8))
                logprobs = ReadLogprobs(ref reader, source);
            else
                reader.Skip();
        }
        if (said.Length > 0 && said.Of(source)[0] == '{')
            ReadMessage(said.Of(source), logprobs);
    }

    private static ReadOnlySpan<byte> ReadLogprobs(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> source)
    {
        var elements = default(ReadOnlySpan<byte>);
        if (!JsonReading.EnterObject(ref reader))
            return elements;
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "content"u8) && JsonReading.Raw(ref reader, source) is [(byte)'[', ..] list)
                elements = JsonReading.Elements(list);
            else if (reader.TokenType == JsonTokenType.PropertyName)
                reader.Skip();
        }
        return elements;
    }

    private void ReadMessage(ReadOnlySpan<byte> message, ReadOnlySpan<byte> logprobs)
    {
        var reader = new Utf8JsonReader(message);
        reader.Read();
        // Some providers name the thoughts 'reasoning', some 'reasoning_content', and some send both.
        var thought = default(ReadOnlySpan<byte>);
        var content = default(JsonSlice);
        var refusal = default(ReadOnlySpan<byte>);
        var calls = default(JsonSlice);
        var annotations = default(JsonSlice);
        var details = default(JsonSlice);
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "content"u8))
                content = Slice(ref reader);
            else if (JsonNames.Is(ref reader, "tool_calls"u8))
                calls = Slice(ref reader);
            else if (JsonNames.Is(ref reader, "reasoning_content"u8) || JsonNames.Is(ref reader, "reasoning"u8))
                thought = JsonReading.Text(ref reader) is { IsEmpty: false } text ? text : thought;
            else if (JsonNames.Is(ref reader, "reasoning_details"u8))
                details = Slice(ref reader);
            else if (JsonNames.Is(ref reader, "refusal"u8))
                refusal = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "annotations"u8))
                annotations = Slice(ref reader);
            else
                reader.Skip();
        }
        if (details.Length > 0)
            AddDetails(details.Of(message), hasThought: !thought.IsEmpty);
        AddThought(thought);
        if (content.Length > 0)
            ReadContent(content.Of(message), logprobs);
        if (!refusal.IsEmpty)
            SealDetails();
        Answer.Append(PartKind.Refusal, refusal);
        if (annotations.Length > 0)
            ReadAnnotations(annotations.Of(message));
        if (calls.Length > 0)
        {
            if (calls.Of(message) is [(byte)'[', ..] list && !JsonReading.Elements(list).IsEmpty)
                SealDetails();
            _calls.Read(calls.Of(message));
        }
    }

    // Beside them stands the same as one text, as a rule.
    private void AddDetails(ReadOnlySpan<byte> details, bool hasThought)
    {
        var text = (_details ??= new CollectedDetails()).Add(details);
        if (!hasThought)
            AddThought(JsonEncodedText.Encode(text).EncodedUtf8Bytes);
    }

    // Before the thought ends, and not with each of its pieces: they say the same in more words. In the middle of a call's arguments it waits.
    private void SealDetails(bool isAtEnd = false)
    {
        if (_details is not { HasSeal: true } details || (_calls.IsInCall && !isAtEnd))
            return;
        _details = null;
        _isSealed = true;
        if (!Answer.IsInThought)
            Answer.Begin(PartKind.SealedReasoning);
        Answer.SealReasoning(new ReasoningSeal(ReasoningOrigin.Details, default, details.ToEscaped()));
    }

    private static JsonSlice Slice(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        return JsonSlice.OfValue(ref reader);
    }

    private void AddThought(ReadOnlySpan<byte> escaped)
    {
        if (escaped.IsEmpty)
            return;
        if (_calls.IsInCall)
        {
            _lateThought.Append(escaped);
            return;
        }
        Think(escaped);
    }

    private void Think(ReadOnlySpan<byte> escaped)
    {
        // Behind a thought that is sealed comes another.
        if (_isSealed && Answer.IsInThought)
            Answer.Begin(PartKind.Reasoning);
        _isSealed = false;
        Answer.Append(PartKind.Reasoning, escaped);
        Answer.SealReasoning(new ReasoningSeal(ReasoningOrigin.Content, default, default));
    }

    private void ReadContent(ReadOnlySpan<byte> content, ReadOnlySpan<byte> logprobs)
    {
        if (content[0] == '"')
        {
            AddText(content[1..^1], logprobs);
            return;
        }
        if (content[0] != '[')
            return;
        // Mistral's models that reason send a list of thoughts and texts.
        var reader = new Utf8JsonReader(content);
        reader.Read();
        while (JsonReading.NextElement(ref reader))
        {
            if (reader.TokenType == JsonTokenType.String)
                AddText(reader.ValueSpan, default);
            else if (JsonReading.IsObject(ref reader))
                ReadContentPart(ref reader, content);
        }
    }

    private void ReadContentPart(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> source)
    {
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "text"u8))
                AddText(JsonReading.Text(ref reader), default);
            else if (
                JsonNames.Is(ref reader, "thinking"u8) && JsonReading.Raw(ref reader, source) is [(byte)'[', ..] list
            )
                ReadThinking(list);
            else if (reader.TokenType == JsonTokenType.PropertyName)
                reader.Skip();
        }
    }

    private void ReadThinking(ReadOnlySpan<byte> list)
    {
        var reader = new Utf8JsonReader(list);
        reader.Read();
        while (JsonReading.NextElement(ref reader))
        {
            if (!JsonReading.IsObject(ref reader))
                continue;
            while (JsonReading.NextMember(ref reader))
            {
                if (JsonNames.Is(ref reader, "text"u8))
                    AddThought(JsonReading.Text(ref reader));
                else
                    reader.Skip();
            }
        }
    }

    // In the middle of a call's arguments a text waits, as a thought does: no other wire has two parts open at once.
    private void AddText(ReadOnlySpan<byte> escaped, ReadOnlySpan<byte> logprobs)
    {
        if (!escaped.IsEmpty)
            SealDetails();
        if (!escaped.IsEmpty && _calls.IsInCall)
            _lateText.Append(escaped);
        else
            Answer.Append(PartKind.Text, escaped, logprobs);
    }

    private void ReadAnnotations(ReadOnlySpan<byte> annotations)
    {
        var reader = new Utf8JsonReader(annotations);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
            return;
        while (JsonReading.NextElement(ref reader))
        {
            if (!JsonReading.IsObject(ref reader))
                continue;
            while (JsonReading.NextMember(ref reader))
            {
                if (!JsonNames.Is(ref reader, "url_citation"u8))
                    reader.Skip();
                else if (JsonReading.EnterObject(ref reader))
                    Answer.Cite(Citations.Read(ref reader));
            }
        }
    }

    private void Flush()
    {
        _calls.Flush();
        if (_lateThought.Length > 0)
        {
            Think(_lateThought.Span);
            _lateThought.Truncate(0);
        }
        SealDetails(isAtEnd: true);
        Answer.Append(PartKind.Text, _lateText.Span);
        _lateText.Truncate(0);
        // Some providers say "stop" although tools are to be called.
        if (_reason == FinishReason.Stop && Answer.HasToolCalls)
            _reason = FinishReason.ToolCalls;
    }

    private FinishReason ReasonOf(ReadOnlySpan<byte> reason) =>
        reason switch
        {
            [] => _reason,
            _ when reason.SequenceEqual("length"u8) => FinishReason.Length,
            _ when reason.SequenceEqual("tool_calls"u8) => FinishReason.ToolCalls,
            _ when reason.SequenceEqual("function_call"u8) => FinishReason.ToolCalls,
            _ when reason.SequenceEqual("content_filter"u8) => FinishReason.Filtered,
            _ => FinishReason.Stop,
        };
}
