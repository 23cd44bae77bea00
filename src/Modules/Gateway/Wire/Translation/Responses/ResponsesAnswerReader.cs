using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.OpenAi.Responses;

namespace Verbatim.Modules.Gateway.Wire.Translation.Responses;

/// <summary>Reads an answer of OpenAI's responses (API reference, "Streaming events"). Events and items that it does not know change nothing.</summary>
internal sealed class ResponsesAnswerReader(Answer answer) : AnswerReader(answer)
{
    // The item that the open part is of.
    private byte[] _item = [];

    public override void Read(in SseEvent sse)
    {
        if (!sse.HasData || IsDone)
            return;
        var data = sse.Data.Span;
        if (!JsonObjects.IsWellFormed(data))
            return;
        Events++;
        var members = ResponsesEventMembers.Read(data);
        var type = members.Type.IsEmpty ? sse.Name.Span : members.Type;
        if (type.SequenceEqual("response.output_text.delta"u8))
            Answer.Append(PartKind.Text, members.Delta, members.Logprobs);
        else if (type.SequenceEqual("response.function_call_arguments.delta"u8))
            AppendArguments(ref members);
        else
            ReadOther(type, ref members, data);
    }

    // The last event is the end mark, so without it something is missing.
    public override void End() => Answer.Complete();

    public override bool TryReadWhole(ReadOnlySpan<byte> json)
    {
        if (!JsonObjects.IsObject(json) || !JsonObjects.Has(json, "output"u8))
            return false;
        ReadResponse(json, withOutput: true);
        return Answer.IsComplete;
    }

    private void ReadOther(ReadOnlySpan<byte> type, scoped ref ResponsesEventMembers members, ReadOnlySpan<byte> data)
    {
        switch (ResponsesEventMembers.KindOf(type))
        {
            case ResponsesEvent.Started:
                ReadModel(members.Response);
                break;
            case ResponsesEvent.ItemAdded:
                BeginItem(members.Item);
                break;
            case ResponsesEvent.ItemDone:
                EndItem(members.Item);
                break;
            case ResponsesEvent.Refusal:
                Answer.Append(PartKind.Refusal, members.Delta);
                break;
            case ResponsesEvent.Reasoning:
                AppendReasoning(members.Delta);
                break;
            case ResponsesEvent.ReasoningPart when members.SummaryIndex > 0:
                AppendReasoning("\\n\\n"u8);
                break;
            case ResponsesEvent.Annotation:
                ReadAnnotation(members.Annotation);
                break;
            case ResponsesEvent.Ended when members.Response is [(byte)'{', ..]:
                IsDone = true;
                ReadResponse(members.Response, withOutput: false);
                break;
            case ResponsesEvent.Error:
                Answer.Fail(ProviderErrors.InStream(data));
                break;
            default:
                break;
        }
    }

    private void ReadModel(ReadOnlySpan<byte> response)
    {
        if (response is not [(byte)'{', ..])
            return;
        var reader = new Utf8JsonReader(response);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "model"u8))
                Answer.Start(JsonReading.Text(ref reader));
            else
                reader.Skip();
        }
    }

    private void AppendArguments(scoped ref ResponsesEventMembers members)
    {
        if (Answer.Parts is [.., { Kind: PartKind.ToolCall, IsClosed: false }] && members.ItemId.SequenceEqual(_item))
            Answer.Append(PartKind.ToolCall, members.Delta);
    }

    private void AppendReasoning(ReadOnlySpan<byte> escaped)
    {
        Answer.Append(PartKind.Reasoning, escaped);
        Answer.SealReasoning(new ReasoningSeal(ReasoningOrigin.Item, _item, default));
    }

    private void BeginItem(ReadOnlySpan<byte> json)
    {
        if (json is not [(byte)'{', ..])
            return;
        var item = ResponsesItem.Read(json);
        Answer.End();
        _item = item.Id.ToArray();
        if (item.Type.SequenceEqual("function_call"u8))
            Answer.Begin(PartKind.ToolCall, item.CallId, item.Name);
    }

    private void EndItem(ReadOnlySpan<byte> json)
    {
        if (json is not [(byte)'{', ..])
            return;
        var item = ResponsesItem.Read(json);
        if (item.Type.SequenceEqual("function_call"u8))
        {
            if (Answer.Parts is [.., { Kind: PartKind.ToolCall, IsClosed: false, Text.IsEmpty: true }])
                Answer.Append(PartKind.ToolCall, item.Arguments.IsEmpty ? "{}"u8 : item.Arguments);
        }
        else if (item.Type.SequenceEqual("reasoning"u8) && !item.Encrypted.IsEmpty)
        {
            if (Answer.Parts is not [.., { Kind: PartKind.Reasoning, IsClosed: false }])
                Answer.Begin(PartKind.SealedReasoning);
            Answer.SealReasoning(new ReasoningSeal(ReasoningOrigin.Item, item.Id.ToArray(), item.Encrypted.ToArray()));
        }
        Answer.End();
    }

    private void ReadAnnotation(ReadOnlySpan<byte> annotation)
    {
        if (annotation is not [(byte)'{', ..] || !JsonObjects.Has(annotation, "url"u8))
            return;
        var reader = new Utf8JsonReader(annotation);
        reader.Read();
        Answer.Cite(Citations.Read(ref reader));
    }

    private void ReadResponse(ReadOnlySpan<byte> response, bool withOutput)
    {
        var reader = new Utf8JsonReader(response);
        reader.Read();
        var status = default(ReadOnlySpan<byte>);
        var details = default(ReadOnlySpan<byte>);
        var output = default(ReadOnlySpan<byte>);
        var model = default(ReadOnlySpan<byte>);
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "status"u8))
                status = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "incomplete_details"u8))
                details = JsonReading.Raw(ref reader, response);
            else if (JsonNames.Is(ref reader, "output"u8))
                output = JsonReading.Raw(ref reader, response);
            else if (JsonNames.Is(ref reader, "model"u8))
                model = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "usage"u8))
                ReadUsage(JsonReading.Raw(ref reader, response));
            else
                reader.Skip();
        }
        if (status.SequenceEqual("failed"u8) || status.SequenceEqual("cancelled"u8))
        {
            Answer.Fail(ProviderErrors.InStream(response));
            return;
        }
        Answer.Start(model);
        if (withOutput && output is [(byte)'[', ..])
            ReadOutput(output);
        Answer.Finish(ReasonOf(status, details));
        Answer.Complete();
    }

    private void ReadUsage(ReadOnlySpan<byte> usage)
    {
        if (ResponsesUsage.Read(usage) is { } counted)
            Answer.Count(counted);
    }

    private FinishReason ReasonOf(ReadOnlySpan<byte> status, ReadOnlySpan<byte> details)
    {
        if (!status.SequenceEqual("incomplete"u8))
            return Answer.HasToolCalls ? FinishReason.ToolCalls : FinishReason.Stop;
        return details.IndexOf("content_filter"u8) >= 0 ? FinishReason.Filtered : FinishReason.Length;
    }

    private void ReadOutput(ReadOnlySpan<byte> output)
    {
        var reader = new Utf8JsonReader(output);
        reader.Read();
        while (JsonReading.NextElement(ref reader))
        {
            var json = JsonSlice.OfValue(ref reader).Of(output);
            if (json[0] != '{')
                continue;
            var item = ResponsesItem.Read(json);
            BeginItem(json);
            ReadTexts(item.Content);
            if (item.Type.SequenceEqual("reasoning"u8))
                ReadTexts(item.Summary);
            EndItem(json);
        }
    }

    private void ReadTexts(ReadOnlySpan<byte> parts)
    {
        if (parts is not [(byte)'[', ..])
            return;
        var reader = new Utf8JsonReader(parts);
        reader.Read();
        for (var index = 0; JsonReading.NextElement(ref reader); index++)
        {
            var part = JsonSlice.OfValue(ref reader).Of(parts);
            if (part[0] != '{')
                continue;
            var read = ResponsesItem.Read(part);
            ReadText(ref read, index);
        }
    }

    private void ReadText(scoped ref ResponsesItem part, int index)
    {
        if (part.Type.SequenceEqual("output_text"u8))
        {
            Answer.Begin(PartKind.Text);
            Answer.Append(PartKind.Text, part.Text, part.Logprobs);
            ReadAnnotations(part.Annotations);
        }
        else if (part.Type.SequenceEqual("refusal"u8))
            Answer.Append(PartKind.Refusal, part.Refusal);
        else if (part.Type.SequenceEqual("summary_text"u8) || part.Type.SequenceEqual("reasoning_text"u8))
        {
            if (index > 0)
                AppendReasoning("\\n\\n"u8);
            AppendReasoning(part.Text);
        }
    }

    private void ReadAnnotations(ReadOnlySpan<byte> annotations)
    {
        if (annotations is not [(byte)'[', ..])
            return;
        var reader = new Utf8JsonReader(annotations);
        reader.Read();
        while (JsonReading.NextElement(ref reader))
            ReadAnnotation(JsonSlice.OfValue(ref reader).Of(annotations));
    }
}
