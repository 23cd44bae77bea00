using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.Anthropic;

namespace Verbatim.Modules.Gateway.Wire.Translation.Messages;

/// <summary>
/// Reads an answer of Anthropic's messages (Claude documentation, "Streaming Messages"): any number of pings, and events and blocks that it does not
/// know, change nothing.
/// </summary>
internal sealed class MessagesAnswerReader(Answer answer) : AnswerReader(answer)
{
    private MessagesUsage _usage;
    private int? _openIndex;

    public override void Read(in SseEvent sse)
    {
        if (!sse.HasData || IsDone)
            return;
        var data = sse.Data.Span;
        if (!JsonObjects.IsWellFormed(data))
            return;
        var reader = new Utf8JsonReader(data);
        reader.Read();
        var type = TypeOf(reader);
        if (type.IsEmpty)
            type = sse.Name.Span;
        if (type.SequenceEqual("content_block_delta"u8))
        {
            Events++;
            ReadDelta(ref reader, data);
        }
        else if (!type.SequenceEqual("ping"u8))
        {
            Events++;
            ReadOther(type, ref reader, data);
        }
    }

    public override void End() => Answer.Complete();

    public override bool TryReadWhole(ReadOnlySpan<byte> json)
    {
        if (!JsonObjects.IsObject(json) || !JsonObjects.Has(json, "content"u8))
            return false;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (TypeOf(reader) is { IsEmpty: false } type && !type.SequenceEqual("message"u8))
            return false;
        ReadMessage(ref reader, json, out var content, out var ending);
        if (content.Length == 0 || content[0] != '[')
            return false;
        ReadBlocks(content);
        Finish(ending);
        Answer.Complete();
        return true;
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

    private void ReadOther(ReadOnlySpan<byte> type, scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> data)
    {
        if (type.SequenceEqual("message_start"u8))
            ReadStart(ref reader, data);
        else if (type.SequenceEqual("content_block_start"u8))
            ReadBlockStart(ref reader, data);
        else if (type.SequenceEqual("content_block_stop"u8))
            EndBlock();
        else if (type.SequenceEqual("message_delta"u8))
            ReadMessageDelta(ref reader);
        else if (type.SequenceEqual("message_stop"u8))
        {
            IsDone = true;
            Answer.Complete();
        }
        else if (type.SequenceEqual("error"u8))
            Answer.Fail(ProviderErrors.InStream(data));
    }

    private void ReadStart(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> data)
    {
        while (JsonReading.NextMember(ref reader))
        {
            if (!JsonNames.Is(ref reader, "message"u8))
                reader.Skip();
            else if (JsonReading.EnterObject(ref reader))
                ReadMessage(ref reader, data, out _, out _);
        }
        Answer.Start(default);
    }

    private void ReadMessage(
        scoped ref Utf8JsonReader reader,
        ReadOnlySpan<byte> data,
        out ReadOnlySpan<byte> content,
        out Ending ending
    )
    {
        content = default;
        ending = default;
        var model = default(ReadOnlySpan<byte>);
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "model"u8))
                model = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "usage"u8))
                ReadUsage(ref reader);
            else if (JsonNames.Is(ref reader, "content"u8))
                content = JsonReading.Raw(ref reader, data);
            else
                ReadEnding(ref reader, ref ending);
        }
        Answer.Start(model);
    }

    private void ReadUsage(scoped ref Utf8JsonReader reader)
    {
        if (!JsonReading.EnterObject(ref reader))
            return;
        _usage.Merge(ref reader);
        Answer.Count(_usage.ToTokenUsage());
    }

    private void ReadBlocks(ReadOnlySpan<byte> content)
    {
        var reader = new Utf8JsonReader(content);
        reader.Read();
        while (JsonReading.NextElement(ref reader))
        {
            if (!JsonReading.IsObject(ref reader))
                continue;
            _ = TryReadBlock(ref reader, content);
            EndBlock();
        }
    }

    private void ReadBlockStart(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> data)
    {
        int? index = null;
        var isKnown = false;
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "index"u8))
                index = JsonReading.Number(ref reader);
            else if (!JsonNames.Is(ref reader, "content_block"u8))
                reader.Skip();
            else if (JsonReading.EnterObject(ref reader))
                isKnown = TryReadBlock(ref reader, data);
        }
        // -1 is no block's index: what comes for a block that is not known is passed over.
        _openIndex = isKnown ? index : -1;
    }

    private bool TryReadBlock(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> data)
    {
        var type = default(ReadOnlySpan<byte>);
        var id = default(ReadOnlySpan<byte>);
        var name = default(ReadOnlySpan<byte>);
        var text = default(ReadOnlySpan<byte>);
        var seal = default(ReadOnlySpan<byte>);
        var input = default(ReadOnlySpan<byte>);
        var citations = default(ReadOnlySpan<byte>);
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "type"u8))
                type = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "id"u8))
                id = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "name"u8))
                name = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "text"u8) || JsonNames.Is(ref reader, "thinking"u8))
                text = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "signature"u8) || JsonNames.Is(ref reader, "data"u8))
                seal = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "input"u8))
                input = JsonReading.Raw(ref reader, data);
            else if (JsonNames.Is(ref reader, "citations"u8))
                citations = JsonReading.Raw(ref reader, data);
            else
                reader.Skip();
        }
        if (type.SequenceEqual("text"u8))
        {
            Answer.Begin(PartKind.Text);
            Answer.Append(PartKind.Text, text);
            ReadCitations(citations);
        }
        else if (type.SequenceEqual("thinking"u8))
        {
            Answer.Begin(PartKind.Reasoning);
            Answer.SealReasoning(new ReasoningSeal(ReasoningOrigin.Thinking, default, seal.ToArray()));
            Answer.Append(PartKind.Reasoning, text);
        }
        else if (type.SequenceEqual("redacted_thinking"u8))
        {
            Answer.Begin(PartKind.SealedReasoning);
            Answer.SealReasoning(new ReasoningSeal(ReasoningOrigin.RedactedThinking, default, seal.ToArray()));
        }
        else if (type.SequenceEqual("tool_use"u8))
        {
            Answer.Begin(PartKind.ToolCall, id, name);
            if (input.Length > 2 && input[0] == '{' && !JsonReading.Elements(input).IsEmpty)
                Answer.Append(PartKind.ToolCall, JsonText.Escape(input));
        }
        else
        {
            return false;
        }
        return true;
    }

    private void EndBlock()
    {
        _openIndex = null;
        // A call without arguments streams none, and the other wires have the text of an empty object.
        if (Answer.Parts is [.., { Kind: PartKind.ToolCall, IsClosed: false, Text.IsEmpty: true }])
            Answer.Append(PartKind.ToolCall, "{}"u8);
        Answer.End();
    }

    private void ReadDelta(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> data)
    {
        int? index = null;
        var delta = default(ReadOnlySpan<byte>);
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "index"u8))
                index = JsonReading.Number(ref reader);
            else if (JsonNames.Is(ref reader, "delta"u8))
                delta = JsonReading.Raw(ref reader, data);
            else
                reader.Skip();
        }
        if (delta is [(byte)'{', ..] && index == _openIndex)
            ReadDelta(delta);
    }

    private void ReadDelta(ReadOnlySpan<byte> delta)
    {
        var reader = new Utf8JsonReader(delta);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "text"u8))
                Answer.Append(PartKind.Text, JsonReading.Text(ref reader));
            else if (JsonNames.Is(ref reader, "partial_json"u8))
                AppendArguments(JsonReading.Text(ref reader));
            else if (JsonNames.Is(ref reader, "thinking"u8))
                Answer.Append(PartKind.Reasoning, JsonReading.Text(ref reader));
            else if (JsonNames.Is(ref reader, "signature"u8))
                AppendSignature(JsonReading.Text(ref reader));
            else if (JsonNames.Is(ref reader, "citation"u8))
                ReadCitation(JsonReading.Raw(ref reader, delta));
            else
                reader.Skip();
        }
    }

    private void AppendArguments(ReadOnlySpan<byte> escaped)
    {
        // Only to a call that has begun: nobody could do anything with arguments of none.
        if (Answer.Parts is [.., { Kind: PartKind.ToolCall, IsClosed: false }])
            Answer.Append(PartKind.ToolCall, escaped);
    }

    private void AppendSignature(ReadOnlySpan<byte> escaped)
    {
        if (Answer.Parts is [.., { Kind: PartKind.Reasoning, IsClosed: false } part])
            Answer.SealReasoning(
                new ReasoningSeal(ReasoningOrigin.Thinking, default, (byte[])[.. part.Seal.Data.Span, .. escaped])
            );
    }

    private void ReadCitations(ReadOnlySpan<byte> citations)
    {
        if (citations is not [(byte)'[', ..])
            return;
        var reader = new Utf8JsonReader(citations);
        reader.Read();
        while (JsonReading.NextElement(ref reader))
        {
            var citation = JsonSlice.OfValue(ref reader).Of(citations);
            ReadCitation(citation);
        }
    }

    // The others tell a place in a document that the caller sent, for which the other wires have no word.
    private void ReadCitation(ReadOnlySpan<byte> citation)
    {
        if (citation is not [(byte)'{', ..] || !JsonObjects.Has(citation, "url"u8))
            return;
        var reader = new Utf8JsonReader(citation);
        reader.Read();
        Answer.Cite(Citations.Read(ref reader));
    }

    private void ReadMessageDelta(scoped ref Utf8JsonReader reader)
    {
        var ending = default(Ending);
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "usage"u8))
                ReadUsage(ref reader);
            else if (!JsonNames.Is(ref reader, "delta"u8))
                reader.Skip();
            else if (JsonReading.EnterObject(ref reader))
            {
                while (JsonReading.NextMember(ref reader))
                    ReadEnding(ref reader, ref ending);
            }
        }
        if (ending.Reason is { Length: > 0 })
            Finish(ending);
    }

    private static void ReadEnding(scoped ref Utf8JsonReader reader, ref Ending ending)
    {
        if (JsonNames.Is(ref reader, "stop_reason"u8))
            ending.Reason = JsonReading.Text(ref reader).ToArray();
        else if (JsonNames.Is(ref reader, "stop_sequence"u8))
            ending.Sequence = JsonReading.Text(ref reader).ToArray();
        else if (!JsonNames.Is(ref reader, "stop_details"u8))
            reader.Skip();
        else if (JsonReading.EnterObject(ref reader))
        {
            while (JsonReading.NextMember(ref reader))
            {
                if (JsonNames.Is(ref reader, "explanation"u8))
                    ending.Explanation = JsonReading.Text(ref reader).ToArray();
                else
                    reader.Skip();
            }
        }
    }

    private void Finish(Ending ending)
    {
        var reason = ReasonOf(ending.Reason);
        // Why it was refused stands beside the answer here, and in it on the other wires.
        if (reason == FinishReason.Filtered)
            Answer.Append(PartKind.Refusal, ending.Explanation);
        Answer.Finish(reason, ending.Sequence);
    }

    private struct Ending
    {
        public byte[]? Reason;
        public byte[]? Sequence;
        public byte[]? Explanation;
    }

    private static FinishReason ReasonOf(ReadOnlySpan<byte> reason) =>
        reason switch
        {
            _ when reason.SequenceEqual("stop_sequence"u8) => FinishReason.StopSequence,
            _ when reason.SequenceEqual("max_tokens"u8) => FinishReason.Length,
            _ when reason.SequenceEqual("tool_use"u8) => FinishReason.ToolCalls,
            _ when reason.SequenceEqual("refusal"u8) => FinishReason.Filtered,
            _ when reason.SequenceEqual("pause_turn"u8) => FinishReason.Pause,
            _ when reason.SequenceEqual("model_context_window_exceeded"u8) => FinishReason.ContextWindow,
            _ => FinishReason.Stop,
        };
}
