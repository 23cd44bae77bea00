using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation.Responses;

/// <summary>The members that items of an output, and the parts of these, may have. Texts are escaped, the others raw.</summary>
internal ref struct ResponsesItem
{
    public ReadOnlySpan<byte> Type;
    public ReadOnlySpan<byte> Id;
    public ReadOnlySpan<byte> CallId;
    public ReadOnlySpan<byte> Name;
    public ReadOnlySpan<byte> Arguments;
    public ReadOnlySpan<byte> Encrypted;
    public ReadOnlySpan<byte> Text;
    public ReadOnlySpan<byte> Refusal;

    /// <summary>The elements of a list.</summary>
    public ReadOnlySpan<byte> Logprobs;

    public ReadOnlySpan<byte> Content;
    public ReadOnlySpan<byte> Summary;
    public ReadOnlySpan<byte> Annotations;

    /// <summary>Reads an object that has been found well-formed.</summary>
    public static ResponsesItem Read(ReadOnlySpan<byte> json)
    {
        var item = default(ResponsesItem);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "type"u8))
                item.Type = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "id"u8))
                item.Id = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "call_id"u8))
                item.CallId = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "name"u8))
                item.Name = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "arguments"u8))
                item.Arguments = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "encrypted_content"u8))
                item.Encrypted = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "text"u8))
                item.Text = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "refusal"u8))
                item.Refusal = JsonReading.Text(ref reader);
            else if (JsonNames.Is(ref reader, "logprobs"u8))
                item.Logprobs = JsonReading.ElementsOf(JsonReading.Raw(ref reader, json));
            else if (JsonNames.Is(ref reader, "content"u8))
                item.Content = JsonReading.Raw(ref reader, json);
            else if (JsonNames.Is(ref reader, "summary"u8))
                item.Summary = JsonReading.Raw(ref reader, json);
            else if (JsonNames.Is(ref reader, "annotations"u8))
                item.Annotations = JsonReading.Raw(ref reader, json);
            else
                reader.Skip();
        }
        return item;
    }
}
