using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation.Chat;

/// <summary>Writes <c>messages</c> of a chat completion.</summary>
internal static class ChatTurnsWriter
{
    private const string NotTaken = "is not taken by chat completions";

    public static void Write(ModelRequest request, RequestWriting writing)
    {
        writing.Json.WriteStartArray("messages"u8);
        foreach (var turn in request.Turns)
        {
            if (turn.Role == TurnRole.Tool)
            {
                WriteResult((ToolResultPart)turn.Parts[0], writing);
                continue;
            }
            writing.Json.WriteStartObject();
            if (turn.Role == TurnRole.Assistant)
            {
                writing.Json.WriteString("role"u8, "assistant"u8);
                WriteAssistant(turn, writing);
            }
            else
            {
                writing.Json.WriteString("role"u8, turn.Role == TurnRole.System ? "system"u8 : "user"u8);
                WriteContent(turn.Parts, turn.Role == TurnRole.User, writing);
            }
            writing.Json.WriteEndObject();
        }
        writing.Json.WriteEndArray();
    }

    private static void WriteResult(ToolResultPart result, RequestWriting writing)
    {
        writing.Json.WriteStartObject();
        writing.Json.WriteString("role"u8, "tool"u8);
        writing.Text("tool_call_id"u8, result.Id);
        var content = result.Content;
        // This wire has no word for a tool that failed but the text itself.
        if (result.IsError)
            content = [new TextPart(result.Path, JsonText.Of("The tool failed:")), .. content];
        WriteContent(content, takesMore: false, writing);
        writing.Json.WriteEndObject();
    }

    // One text is written as a string, as most clients do and the smaller servers know best.
    private static void WriteContent(List<Part> parts, bool takesMore, RequestWriting writing)
    {
        if (parts is [TextPart only])
        {
            writing.Text("content"u8, only.Text);
            return;
        }
        if (parts.Count == 0)
        {
            writing.Text("content"u8, JsonText.Empty);
            return;
        }
        writing.Json.WriteStartArray("content"u8);
        foreach (var part in parts)
        {
            if (part is TextPart text)
                WriteText(text.Text, writing);
            else if (!takesMore)
                writing.CannotDo(part.Path, "is no text, which is all that chat completions take there");
            else
                WritePart(part, writing);
        }
        writing.Json.WriteEndArray();
    }

    private static void WriteText(JsonText text, RequestWriting writing)
    {
        writing.Json.WriteStartObject();
        writing.Json.WriteString("type"u8, "text"u8);
        writing.Text("text"u8, text);
        writing.Json.WriteEndObject();
    }

    private static void WritePart(Part part, RequestWriting writing)
    {
        switch (part)
        {
            case ImagePart { Source.Kind: not SourceKind.FileId } image:
                writing.Json.WriteStartObject();
                writing.Json.WriteString("type"u8, "image_url"u8);
                writing.Json.WriteStartObject("image_url"u8);
                writing.Text(
                    "url"u8,
                    image.Source.Kind == SourceKind.Url ? image.Source.Data : Sources.ToDataUrl(image.Source)
                );
                WriteDetail(image, writing);
                writing.Json.WriteEndObject();
                writing.Json.WriteEndObject();
                break;
            case FilePart file:
                WriteFile(file, writing);
                break;
            case AudioPart audio:
                writing.Json.WriteStartObject();
                writing.Json.WriteString("type"u8, "input_audio"u8);
                writing.Json.WriteStartObject("input_audio"u8);
                writing.Text("data"u8, audio.Data);
                writing.Text("format"u8, audio.Format);
                writing.Json.WriteEndObject();
                writing.Json.WriteEndObject();
                break;
            case RefusalPart refusal:
                WriteText(refusal.Text, writing);
                break;
            case ImagePart:
                writing.CannotDo(part.Path, "is a file at another provider");
                break;
            default:
                writing.CannotDo(part.Path, NotTaken);
                break;
        }
    }

    private static void WriteDetail(ImagePart image, RequestWriting writing)
    {
        // The responses wire has 'original' too.
        if (image.Detail is { } detail && detail.Value.Escaped.SequenceEqual("original"u8))
            writing.CannotDo(detail.Parameter, NotTaken);
        else
            writing.Text("detail"u8, image.Detail?.Value);
    }

    private static void WriteFile(FilePart file, RequestWriting writing)
    {
        writing.CannotDo(file.Context, NotTaken);
        writing.CannotDo(file.Citations, "asks for citations, which chat completions do not make");
        switch (file.Source.Kind)
        {
            case SourceKind.Text:
                writing.CannotDo(file.Name, "is not taken by chat completions for a text");
                WriteText(file.Source.Data, writing);
                break;
            case SourceKind.Base64:
                writing.Json.WriteStartObject();
                writing.Json.WriteString("type"u8, "file"u8);
                writing.Json.WriteStartObject("file"u8);
                // A name is demanded where the data is in the request.
                writing.Text("filename"u8, file.Name?.Value ?? JsonText.Of("document"));
                writing.Text("file_data"u8, Sources.ToDataUrl(file.Source));
                writing.Json.WriteEndObject();
                writing.Json.WriteEndObject();
                break;
            case SourceKind.Url:
                writing.CannotDo(file.Path, "is a file by its address, which chat completions do not take");
                break;
            default:
                writing.CannotDo(file.Path, "is a file at another provider");
                break;
        }
    }

    private static void WriteAssistant(Turn turn, RequestWriting writing)
    {
        var calls = turn.Parts.OfType<ToolCallPart>().ToList();
        var said = turn.Parts.FindAll(p => p is TextPart or RefusalPart);
        foreach (var part in turn.Parts)
        {
            if (part is not (TextPart or RefusalPart or ReasoningPart or ToolCallPart))
                writing.CannotDo(part.Path, "is not taken by chat completions in what the assistant said");
        }
        if (said.Count > 0)
            WriteContent(said, takesMore: true, writing);
        else
            writing.Json.WriteNull("content"u8);
        if (writing.Target.HasReasoningDetails)
            WriteDetails(turn, writing);
        // Providers that think in the open want the thoughts back between the calls of tools, and only there (DeepSeek, "Thinking mode").
        if (calls.Count > 0)
            WriteThoughts(turn, writing);
        if (calls.Count == 0)
            return;
        writing.Json.WriteStartArray("tool_calls"u8);
        foreach (var call in calls)
        {
            writing.Json.WriteStartObject();
            writing.Text("id"u8, call.Id);
            writing.Json.WriteString("type"u8, "function"u8);
            writing.Json.WriteStartObject("function"u8);
            writing.Text("name"u8, call.Name);
            writing.Text("arguments"u8, call.Arguments);
            writing.Json.WriteEndObject();
            writing.Json.WriteEndObject();
        }
        writing.Json.WriteEndArray();
    }

    // As they were given, in every turn that has some (OpenRouter's documentation, "Preserving reasoning").
    private static void WriteDetails(Turn turn, RequestWriting writing)
    {
        var lists = new List<JsonElement>();
        foreach (var thought in turn.Parts.OfType<ReasoningPart>().Where(r => r.Seal.Origin == ReasoningOrigin.Details))
        {
            if (ReadDetails(thought.Seal.Data) is { } list)
                lists.Add(list);
            else
                writing.CannotDo(thought.Path, "is not what it was when it was given");
        }
        if (lists.Count == 0)
            return;
        writing.Json.WriteStartArray("reasoning_details"u8);
        foreach (var element in lists.SelectMany(static l => l.EnumerateArray()))
            // As it stands: to take its strings apart would throw where there is half a surrogate pair.
            writing.Json.WriteRawValue(element.GetRawText(), skipInputValidation: true);
        writing.Json.WriteEndArray();
    }

    private static JsonElement? ReadDetails(ReadOnlyMemory<byte> escaped)
    {
        try
        {
            var json = JsonSerializer.Deserialize<string>((byte[])[(byte)'"', .. escaped.Span, (byte)'"']);
            var list = JsonSerializer.Deserialize<JsonElement>(json!);
            return list.ValueKind == JsonValueKind.Array ? list : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static void WriteThoughts(Turn turn, RequestWriting writing)
    {
        var thoughts = turn
            .Parts.OfType<ReasoningPart>()
            .Where(r => r is { Text: not null, Seal.Origin: ReasoningOrigin.Content })
            .Select(r => r.Text!.Value)
            .ToList();
        if (thoughts.Count > 0)
            writing.Text("reasoning_content"u8, thoughts.Aggregate((a, b) => JsonText.Quote(a.Escaped, b.Escaped)));
    }
}
