using System.Buffers;
using System.Text;
using Verbatim.Modules.Gateway.Wire.Anthropic;

namespace Verbatim.Modules.Gateway.Wire.Translation.Messages;

/// <summary>Writes an answer on Anthropic's wire (Claude API reference, "Message"; documentation, "Streaming Messages").</summary>
/// <param name="request">What was asked: its input is estimated where the provider does not say it at the beginning.</param>
internal sealed class MessagesAnswerWriter(ModelRequest request) : AnswerWriter
{
    // Every call says who calls: here always the model itself, never a program of Anthropic's. Typed clients want it.
    private static ReadOnlySpan<byte> Caller => ",\"caller\":{\"type\":\"direct\"}"u8;

    public override void Start(Answer answer)
    {
        Write("event: message_start\ndata: {\"type\":\"message_start\",\"message\":"u8);
        WriteHead(answer);
        Write("[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":"u8);
        // Its clients read both counts here; what is known only at the end is told in message_delta.
        WriteUsage(answer.Usage ?? new TokenUsage(TokenEstimate.Of(request), 0, null, null, null));
        Write("}}\n\n"u8);
    }

    public override void Begin(Answer answer, AnswerPart part)
    {
        Write("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":"u8);
        Write(part.Index);
        Write(",\"content_block\":"u8);
        switch (part.Kind)
        {
            case PartKind.ToolCall:
                Write("{\"type\":\"tool_use\",\"id\":"u8);
                WriteString(part.Id);
                Write(",\"name\":"u8);
                WriteString(part.Name);
                Write(",\"input\":{}"u8);
                Write(Caller);
                Write("}"u8);
                break;
            // Sealed thoughts are a thought without words, with a signature.
            case PartKind.Reasoning or PartKind.SealedReasoning:
                Write("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}"u8);
                break;
            default:
                Write("{\"type\":\"text\",\"text\":\"\"}"u8);
                break;
        }
        Write("}\n\n"u8);
    }

    public override void Delta(Answer answer, AnswerPart part, ReadOnlySpan<byte> escaped, ReadOnlySpan<byte> logprobs)
    {
        WriteDeltaHead(part);
        Write(
            part.Kind switch
            {
                PartKind.ToolCall => "{\"type\":\"input_json_delta\",\"partial_json\":"u8,
                PartKind.Reasoning => "{\"type\":\"thinking_delta\",\"thinking\":"u8,
                _ => "{\"type\":\"text_delta\",\"text\":"u8,
            }
        );
        WriteString(escaped);
        Write("}}\n\n"u8);
    }

    public override void Cite(Answer answer, AnswerPart part, Citation citation)
    {
        WriteDeltaHead(part);
        Write("{\"type\":\"citations_delta\",\"citation\":"u8);
        WriteCitation(citation);
        Write("}}\n\n"u8);
    }

    public override void End(Answer answer, AnswerPart part)
    {
        if (
            part.Kind is PartKind.Reasoning or PartKind.SealedReasoning
            && part.Seal.ToForeign() is { Length: > 0 } seal
        )
        {
            WriteDeltaHead(part);
            Write("{\"type\":\"signature_delta\",\"signature\":"u8);
            WriteString(seal);
            Write("}}\n\n"u8);
        }
        Write("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"u8);
        Write(part.Index);
        Write("}\n\n"u8);
    }

    // The usage belongs into the same event as the reason, and may come later.
    public override void Finish(Answer answer) { }

    public override void Complete(Answer answer)
    {
        Write("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"u8);
        WriteReason(answer);
        Write("},\"usage\":"u8);
        WriteUsage(answer.Usage ?? new TokenUsage(null, 0, null, null, null));
        Write("}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"u8);
    }

    public override void Fail(Answer answer, WireError error)
    {
        var text = new ArrayBufferWriter<byte>(256);
        AnthropicErrors.Dialect.WriteEvent(
            text,
            AnswerErrors.For(Operation.Messages, error),
            requestId: "",
            sequence: 0
        );
        Write(text.WrittenSpan);
    }

    public override void WriteWhole(Answer answer)
    {
        WriteHead(answer);
        Write("["u8);
        for (var i = 0; i < answer.Parts.Count; i++)
        {
            if (i > 0)
                Write(","u8);
            WriteBlock(answer.Parts[i]);
        }
        Write("],\"stop_reason\":"u8);
        WriteReason(answer);
        Write(",\"usage\":"u8);
        WriteUsage(answer.Usage ?? new TokenUsage(0, 0, null, null, null));
        Write("}"u8);
    }

    private void WriteHead(Answer answer)
    {
        Write("{\"id\":\"msg_"u8);
        Write(Encoding.ASCII.GetBytes(answer.Identity.Id.ToString("N")));
        Write("\",\"type\":\"message\",\"role\":\"assistant\",\"model\":"u8);
        WriteString(answer.Model);
        Write(",\"content\":"u8);
    }

    private void WriteDeltaHead(AnswerPart part)
    {
        Write("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"u8);
        Write(part.Index);
        Write(",\"delta\":"u8);
    }

    private void WriteBlock(AnswerPart part)
    {
        switch (part.Kind)
        {
            case PartKind.ToolCall:
                Write("{\"type\":\"tool_use\",\"id\":"u8);
                WriteString(part.Id);
                Write(",\"name\":"u8);
                WriteString(part.Name);
                Write(",\"input\":"u8);
                Write(JsonObjects.OfArguments(JsonText.Quote(part.Text)));
                Write(Caller);
                break;
            case PartKind.Reasoning or PartKind.SealedReasoning:
                Write("{\"type\":\"thinking\",\"thinking\":"u8);
                WriteString(part.Text);
                Write(",\"signature\":"u8);
                WriteString(part.Seal.ToForeign());
                break;
            default:
                Write("{\"type\":\"text\",\"text\":"u8);
                WriteString(part.Text);
                WriteCitations(part);
                break;
        }
        Write("}"u8);
    }

    private void WriteCitations(AnswerPart part)
    {
        if (part.Citations.Count == 0)
            return;
        Write(",\"citations\":["u8);
        for (var i = 0; i < part.Citations.Count; i++)
        {
            if (i > 0)
                Write(","u8);
            WriteCitation(part.Citations[i]);
        }
        Write("]"u8);
    }

    private void WriteCitation(Citation citation)
    {
        Write("{\"type\":\"web_search_result_location\",\"url\":"u8);
        WriteString(citation.Url);
        Write(",\"title\":"u8);
        WriteString(citation.Title);
        // Both are Anthropic's own, and have to be there.
        Write(",\"encrypted_index\":\"\",\"cited_text\":\"\"}"u8);
    }

    private void WriteReason(Answer answer)
    {
        Write(
            answer.Reason switch
            {
                FinishReason.None => "null"u8,
                FinishReason.StopSequence when answer.StopSequence is not null => "\"stop_sequence\""u8,
                FinishReason.Length => "\"max_tokens\""u8,
                FinishReason.ContextWindow => "\"model_context_window_exceeded\""u8,
                FinishReason.ToolCalls => "\"tool_use\""u8,
                FinishReason.Filtered => "\"refusal\""u8,
                FinishReason.Stop when answer.HasRefusal => "\"refusal\""u8,
                FinishReason.Pause => "\"pause_turn\""u8,
                _ => "\"end_turn\""u8,
            }
        );
        Write(",\"stop_sequence\":"u8);
        if (answer.StopSequence is { } sequence)
            WriteString(sequence);
        else
            Write("null"u8);
    }

    // The input of this wire is what was neither read from a cache nor written to one.
    private void WriteUsage(TokenUsage usage)
    {
        Write("{"u8);
        if (usage.Prompt is { } prompt)
        {
            Write("\"input_tokens\":"u8);
            Write(Math.Max(0, prompt - (usage.Cached ?? 0) - (usage.CacheWritten ?? 0)));
            Write(",\"cache_creation_input_tokens\":"u8);
            Write(usage.CacheWritten ?? 0);
            Write(",\"cache_read_input_tokens\":"u8);
            Write(usage.Cached ?? 0);
            Write(","u8);
        }
        Write("\"output_tokens\":"u8);
        Write(usage.Completion ?? 0);
        if (usage.Reasoning is { } reasoning)
        {
            Write(",\"output_tokens_details\":{\"thinking_tokens\":"u8);
            Write(reasoning);
            Write("}"u8);
        }
        Write("}"u8);
    }
}
