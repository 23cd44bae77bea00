namespace Verbatim.Modules.Gateway.Wire.Translation.Responses;

/// <summary>Writes the <c>input</c> of a response.</summary>
internal static class ResponsesInputWriter
{
    private const string NotTaken = "is not taken by OpenAI's responses";

    public static void Write(ModelRequest request, RequestWriting writing)
    {
        writing.Json.WriteStartArray("input"u8);
        foreach (var turn in request.Turns)
        {
            switch (turn.Role)
            {
                case TurnRole.Tool:
                    WriteResult((ToolResultPart)turn.Parts[0], writing);
                    break;
                case TurnRole.Assistant:
                    WriteAssistant(turn, writing);
                    break;
                default:
                    writing.Json.WriteStartObject();
                    writing.Json.WriteString("role"u8, turn.Role == TurnRole.System ? "system"u8 : "user"u8);
                    WriteContent("content"u8, turn.Parts, writing);
                    writing.Json.WriteEndObject();
                    break;
            }
        }
        writing.Json.WriteEndArray();
    }

    private static void WriteResult(ToolResultPart result, RequestWriting writing)
    {
        writing.Json.WriteStartObject();
        writing.Json.WriteString("type"u8, "function_call_output"u8);
        writing.Text("call_id"u8, result.Id);
        var content = result.Content;
        // This wire has no word for a tool that failed but the text itself.
        if (result.IsError)
            content = [new TextPart(result.Path, JsonText.Of("The tool failed:")), .. content];
        WriteContent("output"u8, content, writing);
        writing.Json.WriteEndObject();
    }

    private static void WriteContent(ReadOnlySpan<byte> name, List<Part> parts, RequestWriting writing)
    {
        if (parts is [TextPart only])
        {
            writing.Text(name, only.Text);
            return;
        }
        if (parts.Count == 0)
        {
            writing.Text(name, JsonText.Empty);
            return;
        }
        writing.Json.WriteStartArray(name);
        foreach (var part in parts)
            WritePart(part, writing);
        writing.Json.WriteEndArray();
    }

    private static void Begin(ReadOnlySpan<byte> type, RequestWriting writing)
    {
        writing.Json.WriteStartObject();
        writing.Json.WriteString("type"u8, type);
    }

    private static void WritePart(Part part, RequestWriting writing)
    {
        switch (part)
        {
            case TextPart text:
                WriteText("input_text"u8, text.Text, writing);
                break;
            case RefusalPart refusal:
                WriteText("input_text"u8, refusal.Text, writing);
                break;
            case ImagePart { Source.Kind: not SourceKind.FileId } image:
                Begin("input_image"u8, writing);
                writing.Text(
                    "image_url"u8,
                    image.Source.Kind == SourceKind.Url ? image.Source.Data : Sources.ToDataUrl(image.Source)
                );
                writing.Text("detail"u8, image.Detail?.Value ?? JsonText.Of("auto"));
                writing.Json.WriteEndObject();
                break;
            case FilePart { Source.Kind: not SourceKind.FileId } file:
                WriteFile(file, writing);
                break;
            case ImagePart or FilePart:
                writing.CannotDo(part.Path, "is a file at another provider");
                break;
            default:
                writing.CannotDo(part.Path, NotTaken);
                break;
        }
    }

    private static void WriteText(ReadOnlySpan<byte> type, JsonText text, RequestWriting writing)
    {
        Begin(type, writing);
        writing.Text("text"u8, text);
        writing.Json.WriteEndObject();
    }

    private static void WriteFile(FilePart file, RequestWriting writing)
    {
        writing.CannotDo(file.Context, NotTaken);
        writing.CannotDo(file.Citations, "asks for citations, which OpenAI's responses do not make of it");
        if (file.Source.Kind == SourceKind.Text)
        {
            writing.CannotDo(file.Name, "is not taken by OpenAI's responses for a text");
            WriteText("input_text"u8, file.Source.Data, writing);
            return;
        }
        Begin("input_file"u8, writing);
        if (file.Source.Kind == SourceKind.Url)
        {
            writing.CannotDo(file.Name, "is not taken by OpenAI's responses for an address");
            writing.Text("file_url"u8, file.Source.Data);
        }
        else
        {
            writing.Text("filename"u8, file.Name?.Value ?? JsonText.Of("document"));
            writing.Text("file_data"u8, Sources.ToDataUrl(file.Source));
        }
        writing.Json.WriteEndObject();
    }

    private static void WriteAssistant(Turn turn, RequestWriting writing)
    {
        foreach (var part in turn.Parts)
        {
            switch (part)
            {
                case ReasoningPart { Seal: { Origin: ReasoningOrigin.Item, Data.IsEmpty: false } } reasoning:
                    WriteReasoning(reasoning, writing);
                    break;
                // Thoughts of others: nobody here would know them again.
                case ReasoningPart:
                    break;
                case ToolCallPart call:
                    Begin("function_call"u8, writing);
                    writing.Text("call_id"u8, call.Id);
                    writing.Text("name"u8, call.Name);
                    writing.Text("arguments"u8, call.Arguments);
                    writing.Json.WriteEndObject();
                    break;
                case TextPart text:
                    WriteSaid("output_text"u8, "text"u8, text.Text, writing);
                    break;
                case RefusalPart refusal:
                    WriteSaid("refusal"u8, "refusal"u8, refusal.Text, writing);
                    break;
                default:
                    writing.CannotDo(part.Path, "is not taken by OpenAI's responses in what the assistant said");
                    break;
            }
        }
    }

    private static void WriteSaid(
        ReadOnlySpan<byte> type,
        ReadOnlySpan<byte> name,
        JsonText text,
        RequestWriting writing
    )
    {
        Begin("message"u8, writing);
        writing.Json.WriteString("role"u8, "assistant"u8);
        writing.Json.WriteStartArray("content"u8);
        Begin(type, writing);
        writing.Text(name, text);
        writing.Json.WriteEndObject();
        writing.Json.WriteEndArray();
        writing.Json.WriteEndObject();
    }

    private static void WriteReasoning(ReasoningPart reasoning, RequestWriting writing)
    {
        Begin("reasoning"u8, writing);
        if (!reasoning.Seal.Id.IsEmpty)
            writing.Text("id"u8, JsonText.Quote(reasoning.Seal.Id.Span));
        writing.Json.WriteStartArray("summary"u8);
        if (reasoning.Text is { Escaped.IsEmpty: false } text)
            WriteText("summary_text"u8, text, writing);
        writing.Json.WriteEndArray();
        writing.Text("encrypted_content"u8, JsonText.Quote(reasoning.Seal.Data.Span));
        writing.Json.WriteEndObject();
    }
}
