using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation.Responses;

/// <summary>What an event of a response's stream says, as far as a reader minds it.</summary>
internal enum ResponsesEvent
{
    Other,
    Started,
    ItemAdded,
    ItemDone,
    Refusal,
    Reasoning,
    ReasoningPart,
    Annotation,
    Ended,
    Error,
}

/// <summary>The members that events of a response's stream may have. Texts are escaped, the others raw.</summary>
internal ref struct ResponsesEventMembers
{
    public ReadOnlySpan<byte> Type;
    public ReadOnlySpan<byte> Delta;
    public ReadOnlySpan<byte> ItemId;

    /// <summary>The elements of a list.</summary>
    public ReadOnlySpan<byte> Logprobs;

    public ReadOnlySpan<byte> Item;
    public ReadOnlySpan<byte> Response;
    public ReadOnlySpan<byte> Annotation;
    public int OutputIndex;
    public int ContentIndex;
    public int SummaryIndex;

    /// <summary>Reads an object that has been found well-formed.</summary>
    public static ResponsesEventMembers Read(ReadOnlySpan<byte> json)
    {
        var members = default(ResponsesEventMembers);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "type"u8))
                members.Type = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "delta"u8))
                members.Delta = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "item_id"u8))
                members.ItemId = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "logprobs"u8))
                members.Logprobs = JsonReading.ElementsOf(JsonReading.Raw(ref reader, json));
            else if (JsonNames.Is(ref reader, "item"u8))
                members.Item = JsonReading.Raw(ref reader, json);
            else if (JsonNames.Is(ref reader, "response"u8))
                members.Response = JsonReading.Raw(ref reader, json);
            else if (JsonNames.Is(ref reader, "annotation"u8))
                members.Annotation = JsonReading.Raw(ref reader, json);
            else if (JsonNames.Is(ref reader, "output_index"u8))
                members.OutputIndex = JsonReading.Number(ref reader) ?? 0;
            else if (JsonNames.Is(ref reader, "content_index"u8))
                members.ContentIndex = JsonReading.Number(ref reader) ?? 0;
            else if (JsonNames.Is(ref reader, "summary_index"u8))
                members.SummaryIndex = JsonReading.Number(ref reader) ?? 0;
            else
                reader.Skip();
        }
        return members;
    }

    /// <summary>What an event of this type is.</summary>
    public static ResponsesEvent KindOf(ReadOnlySpan<byte> type) =>
        type switch
        {
            _ when type.SequenceEqual("response.created"u8) => ResponsesEvent.Started,
            _ when type.SequenceEqual("response.in_progress"u8) => ResponsesEvent.Started,
            _ when type.SequenceEqual("response.output_item.added"u8) => ResponsesEvent.ItemAdded,
            _ when type.SequenceEqual("response.output_item.done"u8) => ResponsesEvent.ItemDone,
            _ when type.SequenceEqual("response.refusal.delta"u8) => ResponsesEvent.Refusal,
            _ when type.SequenceEqual("response.reasoning_summary_text.delta"u8) => ResponsesEvent.Reasoning,
            _ when type.SequenceEqual("response.reasoning_text.delta"u8) => ResponsesEvent.Reasoning,
            _ when type.SequenceEqual("response.reasoning_summary_part.added"u8) => ResponsesEvent.ReasoningPart,
            _ when type.SequenceEqual("response.output_text.annotation.added"u8) => ResponsesEvent.Annotation,
            _ when type.SequenceEqual("response.completed"u8) => ResponsesEvent.Ended,
            _ when type.SequenceEqual("response.incomplete"u8) => ResponsesEvent.Ended,
            _ when type.SequenceEqual("response.failed"u8) => ResponsesEvent.Ended,
            _ when type.SequenceEqual("response.cancelled"u8) => ResponsesEvent.Ended,
            _ when type.SequenceEqual("error"u8) => ResponsesEvent.Error,
            _ => ResponsesEvent.Other,
        };
}
