using System.Text;

namespace Verbatim.Modules.Gateway.Wire.Translation.Responses;

/// <summary>Writes an answer on the wire of OpenAI's responses (API reference, "The response object" and "Streaming events").</summary>
/// <param name="echo">Members that a response repeats of its request.</param>
internal sealed class ResponsesAnswerWriter(IReadOnlyList<ReadOnlyMemory<byte>> echo) : AnswerWriter
{
    private readonly ResponsesItemWriter _items = new();
    private int _sequence;

    public override void Start(Answer answer)
    {
        foreach (var type in (ReadOnlySpan<string>)["response.created", "response.in_progress"])
        {
            BeginEvent(Encoding.ASCII.GetBytes(type));
            Write(",\"response\":"u8);
            WriteResponse(answer, "in_progress"u8);
            EndEvent();
        }
    }

    public override void Begin(Answer answer, AnswerPart part)
    {
        BeginEvent("response.output_item.added"u8);
        WriteOutputIndex(part);
        Write(",\"item\":"u8);
        Write(_items.Begun(answer, part));
        EndEvent();
        switch (part.Kind)
        {
            case PartKind.Text or PartKind.Refusal:
                WritePart("response.content_part.added"u8, answer, part, isWhole: false);
                break;
            case PartKind.Reasoning:
                WritePart("response.reasoning_summary_part.added"u8, answer, part, isWhole: false);
                break;
            default:
                break;
        }
    }

    public override void Delta(Answer answer, AnswerPart part, ReadOnlySpan<byte> escaped, ReadOnlySpan<byte> logprobs)
    {
        BeginEvent(
            part.Kind switch
            {
                PartKind.ToolCall => "response.function_call_arguments.delta"u8,
                PartKind.Refusal => "response.refusal.delta"u8,
                PartKind.Text => "response.output_text.delta"u8,
                _ => "response.reasoning_summary_text.delta"u8,
            }
        );
        WritePlace(answer, part);
        Write(",\"delta\":"u8);
        WriteString(escaped);
        if (part.Kind == PartKind.Text)
            WriteLogprobs(logprobs);
        EndEvent();
    }

    public override void Cite(Answer answer, AnswerPart part, Citation citation)
    {
        BeginEvent("response.output_text.annotation.added"u8);
        WritePlace(answer, part);
        Write(",\"annotation_index\":"u8);
        Write(part.Citations.Count - 1);
        Write(",\"annotation\":"u8);
        Write(ResponsesItemWriter.Annotation(citation));
        EndEvent();
    }

    public override void End(Answer answer, AnswerPart part)
    {
        switch (part.Kind)
        {
            case PartKind.ToolCall:
                WriteDone("response.function_call_arguments.done"u8, "arguments"u8, answer, part);
                break;
            case PartKind.Text:
                WriteDone("response.output_text.done"u8, "text"u8, answer, part);
                WritePart("response.content_part.done"u8, answer, part, isWhole: true);
                break;
            case PartKind.Refusal:
                WriteDone("response.refusal.done"u8, "refusal"u8, answer, part);
                WritePart("response.content_part.done"u8, answer, part, isWhole: true);
                break;
            case PartKind.Reasoning:
                WriteDone("response.reasoning_summary_text.done"u8, "text"u8, answer, part);
                WritePart("response.reasoning_summary_part.done"u8, answer, part, isWhole: true);
                break;
            default:
                break;
        }
        BeginEvent("response.output_item.done"u8);
        WriteOutputIndex(part);
        Write(",\"item\":"u8);
        Write(_items.Whole(answer, part));
        EndEvent();
    }

    // The usage belongs into the same event as the end, and may come later.
    public override void Finish(Answer answer) { }

    public override void Complete(Answer answer)
    {
        var isCut = StatusOf(answer).SequenceEqual("incomplete"u8);
        BeginEvent(isCut ? "response.incomplete"u8 : "response.completed"u8);
        Write(",\"response\":"u8);
        WriteResponse(answer, StatusOf(answer));
        EndEvent();
    }

    public override void Fail(Answer answer, WireError error)
    {
        var known = AnswerErrors.For(Operation.Responses, error);
        BeginEvent("error"u8);
        Write(",\"code\":"u8);
        WriteNullable(known.Code ?? known.Type);
        Write(",\"message\":"u8);
        WriteNullable(known.Message);
        Write(",\"param\":"u8);
        WriteNullable(known.Param);
        EndEvent();
        BeginEvent("response.failed"u8);
        Write(",\"response\":"u8);
        WriteResponse(answer, "failed"u8);
        EndEvent();
    }

    public override void WriteWhole(Answer answer) => WriteResponse(answer, StatusOf(answer));

    private static ReadOnlySpan<byte> StatusOf(Answer answer) =>
        answer switch
        {
            { Error: not null } => "failed"u8,
            { Reason: FinishReason.None } => "in_progress"u8,
            { Reason: FinishReason.Length or FinishReason.ContextWindow or FinishReason.Filtered } => "incomplete"u8,
            _ => "completed"u8,
        };

    private void BeginEvent(ReadOnlySpan<byte> type)
    {
        Write("event: "u8);
        Write(type);
        Write("\ndata: {\"type\":\""u8);
        Write(type);
        Write("\",\"sequence_number\":"u8);
        Write(_sequence++);
    }

    private void EndEvent() => Write("}\n\n"u8);

    private void WriteOutputIndex(AnswerPart part)
    {
        Write(",\"output_index\":"u8);
        Write(part.Index);
    }

    // Each part is an item of its own, so its first and only content.
    private void WritePlace(Answer answer, AnswerPart part)
    {
        Write(",\"item_id\":\""u8);
        Write(_items.IdOf(answer, part));
        Write("\""u8);
        WriteOutputIndex(part);
        if (part.Kind is PartKind.Reasoning or PartKind.SealedReasoning)
            Write(",\"summary_index\":0"u8);
        else if (part.Kind != PartKind.ToolCall)
            Write(",\"content_index\":0"u8);
    }

    private void WritePart(ReadOnlySpan<byte> type, Answer answer, AnswerPart part, bool isWhole)
    {
        BeginEvent(type);
        WritePlace(answer, part);
        Write(",\"part\":"u8);
        Write(ResponsesItemWriter.Content(part, isWhole));
        EndEvent();
    }

    private void WriteDone(ReadOnlySpan<byte> type, ReadOnlySpan<byte> name, Answer answer, AnswerPart part)
    {
        BeginEvent(type);
        WritePlace(answer, part);
        Write(",\""u8);
        Write(name);
        Write("\":"u8);
        WriteString(part.Text);
        if (part.Kind == PartKind.Text)
            WriteLogprobs(part.Logprobs);
        if (part.Kind == PartKind.ToolCall)
        {
            Write(",\"name\":"u8);
            WriteString(part.Name);
        }
        EndEvent();
    }

    private void WriteLogprobs(ReadOnlySpan<byte> elements)
    {
        Write(",\"logprobs\":["u8);
        Write(elements);
        Write("]"u8);
    }

    private void WriteNullable(string? text)
    {
        if (text is null)
            Write("null"u8);
        else
            WriteString(JsonText.Escape(text));
    }

    private void WriteResponse(Answer answer, ReadOnlySpan<byte> status)
    {
        Write("{\"id\":\"resp_"u8);
        Write(Encoding.ASCII.GetBytes(answer.Identity.Id.ToString("N")));
        Write("\",\"object\":\"response\",\"created_at\":"u8);
        Write(answer.Identity.CreatedAt.ToUnixTimeSeconds());
        Write(",\"status\":"u8);
        WriteString(status);
        Write(",\"error\":"u8);
        WriteError(answer.Error);
        Write(",\"incomplete_details\":"u8);
        Write(
            answer.Reason switch
            {
                FinishReason.Length or FinishReason.ContextWindow => "{\"reason\":\"max_output_tokens\"}"u8,
                FinishReason.Filtered => "{\"reason\":\"content_filter\"}"u8,
                _ => "null"u8,
            }
        );
        Write(",\"model\":"u8);
        WriteString(answer.Model);
        Write(",\"output\":["u8);
        for (var i = 0; i < answer.Parts.Count; i++)
        {
            if (i > 0)
                Write(","u8);
            Write(_items.Whole(answer, answer.Parts[i]));
        }
        Write("]"u8);
        foreach (var member in echo)
        {
            Write(","u8);
            Write(member.Span);
        }
        Write(",\"usage\":"u8);
        WriteUsage(answer.Usage);
        Write("}"u8);
    }

    private void WriteError(WireError? error)
    {
        if (error is null)
        {
            Write("null"u8);
            return;
        }
        // The codes of this object are few ("The response object", error).
        Write(
            error.Status == 429
                ? "{\"code\":\"rate_limit_exceeded\",\"message\":"u8
                : "{\"code\":\"server_error\",\"message\":"u8
        );
        WriteString(JsonText.Escape(error.Message));
        Write("}"u8);
    }

    private void WriteUsage(TokenUsage? usage)
    {
        if (usage is not { } counted)
        {
            Write("null"u8);
            return;
        }
        var input = counted.Prompt ?? 0;
        var output = counted.Completion ?? 0;
        Write("{\"input_tokens\":"u8);
        Write(input);
        Write(",\"input_tokens_details\":{\"cached_tokens\":"u8);
        Write(counted.Cached ?? 0);
        Write(",\"cache_write_tokens\":"u8);
        Write(counted.CacheWritten ?? 0);
        Write("},\"output_tokens\":"u8);
        Write(output);
        Write(",\"output_tokens_details\":{\"reasoning_tokens\":"u8);
        Write(counted.Reasoning ?? 0);
        Write("},\"total_tokens\":"u8);
        Write(counted.Total ?? input + output);
        Write("}"u8);
    }
}
