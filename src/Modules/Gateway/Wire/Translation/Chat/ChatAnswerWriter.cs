using System.Buffers;
using System.Globalization;
using System.Text;
using Verbatim.Modules.Gateway.Wire.OpenAi;

namespace Verbatim.Modules.Gateway.Wire.Translation.Chat;

/// <summary>Writes an answer on the chat-completions wire (OpenAI's API reference, "The chat completion object" and "… chunk object").</summary>
/// <param name="includesUsage">The caller asked for the chunk with the usage.</param>
internal sealed class ChatAnswerWriter(bool includesUsage) : AnswerWriter
{
    // Of every chunk the same but for what stands between them.
    private byte[] _head = [];
    private byte[] _tail = [];

    public override void Start(Answer answer)
    {
        _head = Head(answer);
        _tail =
        [
            .. ",\"logprobs\":null,\"finish_reason\":null}]"u8,
            .. includesUsage ? ",\"usage\":null"u8 : [],
            .. "}\n\n"u8,
        ];
        Write(_head);
        Write("{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}"u8);
        Write(_tail);
    }

    public override void Begin(Answer answer, AnswerPart part)
    {
        if (part.Kind != PartKind.ToolCall)
            return;
        Write(_head);
        Write("{\"tool_calls\":[{\"index\":"u8);
        Write(part.Ordinal);
        Write(",\"id\":"u8);
        WriteString(part.Id);
        Write(",\"type\":\"function\",\"function\":{\"name\":"u8);
        WriteString(part.Name);
        Write(",\"arguments\":\"\"}}]}"u8);
        Write(_tail);
    }

    public override void Delta(Answer answer, AnswerPart part, ReadOnlySpan<byte> escaped, ReadOnlySpan<byte> logprobs)
    {
        Write(_head);
        switch (part.Kind)
        {
            case PartKind.Text:
                Write("{\"content\":"u8);
                WriteString(escaped);
                break;
            case PartKind.Refusal:
                Write("{\"refusal\":"u8);
                WriteString(escaped);
                break;
            case PartKind.ToolCall:
                Write("{\"tool_calls\":[{\"index\":"u8);
                Write(part.Ordinal);
                Write(",\"function\":{\"arguments\":"u8);
                WriteString(escaped);
                Write("}}]"u8);
                break;
            default:
                Write("{\"reasoning_content\":"u8);
                WriteString(escaped);
                Write(",\"reasoning_details\":["u8);
                WriteThought(part, escaped, isWhole: false);
                Write("]"u8);
                break;
        }
        Write("}"u8);
        if (logprobs.IsEmpty)
        {
            Write(_tail);
            return;
        }
        Write(",\"logprobs\":{\"content\":["u8);
        Write(logprobs);
        Write("],\"refusal\":null}"u8);
        Write(_tail.AsSpan(",\"logprobs\":null".Length));
    }

    public override void Cite(Answer answer, AnswerPart part, Citation citation)
    {
        Write(_head);
        Write("{\"annotations\":["u8);
        WriteCitation(citation);
        Write("]}"u8);
        Write(_tail);
    }

    public override void End(Answer answer, AnswerPart part)
    {
        if (part.Kind is not (PartKind.Reasoning or PartKind.SealedReasoning) || part.Seal.Data.IsEmpty)
            return;
        Write(_head);
        Write("{\"reasoning_details\":["u8);
        WriteSeal(part);
        Write("]}"u8);
        Write(_tail);
    }

    public override void Finish(Answer answer)
    {
        Write(_head);
        Write("{},\"logprobs\":null,\"finish_reason\":\""u8);
        Write(WordOf(answer.Reason));
        Write("\"}]"u8);
        if (includesUsage)
            Write(",\"usage\":null"u8);
        Write("}\n\n"u8);
    }

    public override void Complete(Answer answer)
    {
        if (includesUsage && answer.Usage is { } usage)
        {
            Write(_head.AsSpan(0, _head.Length - ChoiceHead.Length));
            Write("[],\"usage\":"u8);
            WriteUsage(usage);
            Write("}\n\n"u8);
        }
        Write("data: [DONE]\n\n"u8);
    }

    public override void Fail(Answer answer, WireError error)
    {
        var text = new ArrayBufferWriter<byte>(256);
        OpenAiErrors.Dialect.WriteEvent(
            text,
            AnswerErrors.For(Operation.ChatCompletions, error),
            requestId: "",
            sequence: 0
        );
        Write(text.WrittenSpan);
    }

    public override void WriteWhole(Answer answer)
    {
        Write("{\"id\":\""u8);
        Write(IdOf(answer));
        Write("\",\"object\":\"chat.completion\",\"created\":"u8);
        Write(answer.Identity.CreatedAt.ToUnixTimeSeconds());
        Write(",\"model\":"u8);
        WriteString(answer.Model);
        Write(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"u8);
        WriteJoined(answer, PartKind.Text);
        Write(",\"refusal\":"u8);
        WriteJoined(answer, PartKind.Refusal);
        WriteThoughts(answer);
        WriteToolCalls(answer);
        WriteCitations(answer);
        Write("},\"logprobs\":"u8);
        WriteLogprobs(answer);
        Write(",\"finish_reason\":"u8);
        if (answer.Reason == FinishReason.None)
            Write("null"u8);
        else
            WriteString(WordOf(answer.Reason));
        Write("}]"u8);
        if (answer.Usage is { } usage)
        {
            Write(",\"usage\":"u8);
            WriteUsage(usage);
        }
        Write("}"u8);
    }

    private static ReadOnlySpan<byte> ChoiceHead => "[{\"index\":0,\"delta\":"u8;

    private static byte[] IdOf(Answer answer) => Encoding.ASCII.GetBytes($"chatcmpl-{answer.Identity.Id:N}");

    private static byte[] Head(Answer answer)
    {
        var created = answer.Identity.CreatedAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return
        [
            .. "data: {\"id\":\""u8,
            .. IdOf(answer),
            .. "\",\"object\":\"chat.completion.chunk\",\"created\":"u8,
            .. Encoding.ASCII.GetBytes(created),
            .. ",\"model\":\""u8,
            .. answer.Model,
            .. "\",\"choices\":"u8,
            .. ChoiceHead,
        ];
    }

    private static ReadOnlySpan<byte> WordOf(FinishReason reason) =>
        reason switch
        {
            FinishReason.Length or FinishReason.ContextWindow => "length"u8,
            FinishReason.ToolCalls => "tool_calls"u8,
            FinishReason.Filtered => "content_filter"u8,
            _ => "stop"u8,
        };

    private void WriteJoined(Answer answer, PartKind kind)
    {
        var any = false;
        foreach (var part in answer.Parts)
        {
            if (part.Kind != kind)
                continue;
            if (!any)
                Write("\""u8);
            any = true;
            Write(part.Text);
        }
        Write(any ? "\""u8 : "null"u8);
    }

    private void WriteThoughts(Answer answer)
    {
        if (answer.Parts.Any(p => p.Kind == PartKind.Reasoning))
        {
            Write(",\"reasoning_content\":"u8);
            WriteJoined(answer, PartKind.Reasoning);
        }
        var separator = ",\"reasoning_details\":["u8;
        var isIn = false;
        foreach (var part in answer.Parts)
        {
            if (part.Kind is not (PartKind.Reasoning or PartKind.SealedReasoning))
                continue;
            Write(separator);
            separator = ","u8;
            isIn = true;
            WriteThought(part, part.Text, isWhole: true);
        }
        if (isIn)
            Write("]"u8);
    }

    // An element of reasoning_details: one thought, or the summary of a reasoning item with its encrypted content behind it.
    private void WriteThought(AnswerPart part, ReadOnlySpan<byte> text, bool isWhole)
    {
        if (part.Kind == PartKind.SealedReasoning)
        {
            WriteSeal(part);
            return;
        }
        var isItem = part.Seal.Origin == ReasoningOrigin.Item;
        Write(isItem ? "{\"type\":\"reasoning.summary\",\"summary\":"u8 : "{\"type\":\"reasoning.text\",\"text\":"u8);
        WriteString(text);
        if (isWhole && !isItem && !part.Seal.Data.IsEmpty)
        {
            Write(",\"signature\":"u8);
            WriteString(part.Seal.Data.Span);
        }
        WritePlace(part);
        if (!isWhole || !isItem || part.Seal.Data.IsEmpty)
            return;
        Write(","u8);
        WriteSeal(part);
    }

    private void WriteSeal(AnswerPart part)
    {
        var isSignature = part.Seal.Origin == ReasoningOrigin.Thinking;
        Write(
            isSignature
                ? "{\"type\":\"reasoning.text\",\"signature\":"u8
                : "{\"type\":\"reasoning.encrypted\",\"data\":"u8
        );
        WriteString(part.Seal.Data.Span);
        WritePlace(part);
    }

    private void WritePlace(AnswerPart part)
    {
        if (!part.Seal.Id.IsEmpty)
        {
            Write(",\"id\":"u8);
            WriteString(part.Seal.Id.Span);
        }
        Write(",\"format\":"u8);
        Write(ReasoningDetails.FormatOf(part.Seal.Origin));
        Write(",\"index\":"u8);
        Write(part.Index);
        Write("}"u8);
    }

    private void WriteToolCalls(Answer answer)
    {
        if (!answer.HasToolCalls)
            return;
        var separator = ",\"tool_calls\":["u8;
        foreach (var part in answer.Parts)
        {
            if (part.Kind != PartKind.ToolCall)
                continue;
            Write(separator);
            separator = ","u8;
            Write("{\"id\":"u8);
            WriteString(part.Id);
            Write(",\"type\":\"function\",\"function\":{\"name\":"u8);
            WriteString(part.Name);
            Write(",\"arguments\":"u8);
            WriteString(part.Text);
            Write("}}"u8);
        }
        Write("]"u8);
    }

    private void WriteCitations(Answer answer)
    {
        var separator = ",\"annotations\":["u8;
        var isIn = false;
        foreach (var citation in answer.Parts.SelectMany(p => p.Citations))
        {
            Write(separator);
            separator = ","u8;
            isIn = true;
            WriteCitation(citation);
        }
        if (isIn)
            Write("]"u8);
    }

    private void WriteCitation(Citation citation)
    {
        Write("{\"type\":\"url_citation\",\"url_citation\":{\"url\":"u8);
        WriteString(citation.Url);
        Write(",\"title\":"u8);
        WriteString(citation.Title);
        Write(",\"start_index\":"u8);
        Write(citation.Start);
        Write(",\"end_index\":"u8);
        Write(citation.End);
        Write("}}"u8);
    }

    private void WriteLogprobs(Answer answer)
    {
        var separator = "{\"content\":["u8;
        var isIn = false;
        foreach (var part in answer.Parts)
        {
            if (part.Logprobs.IsEmpty)
                continue;
            Write(separator);
            separator = ","u8;
            isIn = true;
            Write(part.Logprobs);
        }
        Write(isIn ? "],\"refusal\":null}"u8 : "null"u8);
    }

    private void WriteUsage(TokenUsage usage)
    {
        var prompt = usage.Prompt ?? 0;
        var completion = usage.Completion ?? 0;
        Write("{\"prompt_tokens\":"u8);
        Write(prompt);
        Write(",\"completion_tokens\":"u8);
        Write(completion);
        Write(",\"total_tokens\":"u8);
        Write(usage.Total ?? prompt + completion);
        Write(",\"prompt_tokens_details\":{\"cached_tokens\":"u8);
        Write(usage.Cached ?? 0);
        if (usage.CacheWritten is { } written)
        {
            Write(",\"cache_write_tokens\":"u8);
            Write(written);
        }
        Write("},\"completion_tokens_details\":{\"reasoning_tokens\":"u8);
        Write(usage.Reasoning ?? 0);
        Write("}}"u8);
    }
}
