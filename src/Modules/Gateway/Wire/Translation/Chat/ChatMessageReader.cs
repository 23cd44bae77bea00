using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation.Chat;

/// <summary>Reads one of a chat completion's <c>messages</c>.</summary>
internal static class ChatMessageReader
{
    public static void Read(RequestObject message, ModelRequest request, RequestReading reading)
    {
        var role = message.TakeWord("role");
        switch (role)
        {
            case "system" or "developer":
                request.Turns.Add(new Turn(TurnRole.System, message.Path, Content(message, reading)));
                break;
            case "user":
                request.Turns.Add(new Turn(TurnRole.User, message.Path, Content(message, reading)));
                break;
            case "assistant":
                request.Turns.Add(new Turn(TurnRole.Assistant, message.Path, Assistant(message, reading)));
                break;
            case "tool":
                var result = new ToolResultPart(
                    message.Path,
                    message.RequireText("tool_call_id"),
                    Content(message, reading),
                    IsError: false
                )
                {
                    CacheControl = ChatRequestReader.CacheMark(message),
                };
                request.Turns.Add(new Turn(TurnRole.Tool, message.Path, [result]));
                break;
            case "function":
                reading.CannotSay(message.Path, "has the role 'function', which only OpenAI's old models know");
                return;
            case null:
                reading.Missing(message.PathOf("role"));
                return;
            default:
                reading.Invalid(message.PathOf("role"), "expected system, developer, user, assistant or tool");
                return;
        }
        message.RefuseRest();
    }

    private static List<Part> Assistant(RequestObject message, RequestReading reading)
    {
        var parts = new List<Part>();
        ReadReasoning(message, parts);
        parts.AddRange(Content(message, reading));
        if (message.TakeText("refusal") is { } refusal)
            parts.Add(new RefusalPart(refusal.Parameter, refusal.Value));
        foreach (var call in message.TakeObjects("tool_calls"))
            ReadToolCall(call, parts, reading);
        // What an SDK sends back with an answer: it was said about the answer, and asks for nothing.
        message.Ignore("annotations");
        return parts;
    }

    /// <summary>
    /// The thoughts of an answer that comes back. <c>reasoning_details</c> says whose they are (OpenRouter, "Reasoning tokens"), so it goes
    /// before the plain <c>reasoning_content</c> or <c>reasoning</c>.
    /// </summary>
    private static void ReadReasoning(RequestObject message, List<Part> parts)
    {
        var plain = message.TakeText("reasoning_content");
        plain = message.TakeText("reasoning") ?? plain;
        var details = message.TakeObjects("reasoning_details").ToList();
        if (details.Count > 0)
            parts.AddRange(ReasoningDetails.Read(details));
        else if (plain is { } text)
            parts.Add(
                new ReasoningPart(
                    text.Parameter,
                    text.Value,
                    new ReasoningSeal(ReasoningOrigin.Content, default, default)
                )
            );
    }

    private static void ReadToolCall(RequestObject call, List<Part> parts, RequestReading reading)
    {
        var type = call.TakeWord("type");
        call.Ignore("index");
        if (type is not (null or "function") || call.TakeObject("function") is not { } function)
        {
            reading.CannotSay(call.Path, "is not the call of a function");
            return;
        }
        parts.Add(
            new ToolCallPart(
                call.Path,
                call.RequireText("id"),
                function.RequireText("name"),
                function.TakeText("arguments")?.Value ?? JsonText.Empty
            )
        );
    }

    private static List<Part> Content(RequestObject message, RequestReading reading)
    {
        var parts = new List<Part>();
        if (message.Take("content") is not { } content)
            return parts;
        var path = message.PathOf("content");
        switch (content.ValueKind)
        {
            case JsonValueKind.String:
                parts.Add(
                    new TextPart(path, new JsonText(reading.Raw(content)))
                    {
                        CacheControl = ChatRequestReader.CacheMark(message),
                    }
                );
                break;
            case JsonValueKind.Array:
                foreach (var part in RequestObject.Objects(reading, RequestObject.Elements(content, path)))
                    ReadPart(part, parts, reading);
                break;
            default:
                reading.WrongType(path, "a string or an array", content);
                break;
        }
        return parts;
    }

    private static void ReadPart(RequestObject part, List<Part> parts, RequestReading reading)
    {
        var mark = ChatRequestReader.CacheMark(part);
        switch (part.TakeWord("type"))
        {
            case "text":
                parts.Add(new TextPart(part.Path, part.RequireText("text")) { CacheControl = mark });
                break;
            case "refusal":
                parts.Add(new RefusalPart(part.Path, part.RequireText("refusal")));
                break;
            case "image_url" when part.TakeObject("image_url") is { } image:
                var detail = image.TakeText("detail");
                parts.Add(
                    new ImagePart(part.Path, Sources.OfUrl(image.RequireText("url")))
                    {
                        Detail = detail is { } d && d.Value.Escaped.SequenceEqual("auto"u8) ? null : detail,
                        CacheControl = mark,
                    }
                );
                image.RefuseRest();
                break;
            case "input_audio" when part.TakeObject("input_audio") is { } audio:
                parts.Add(new AudioPart(part.Path, audio.RequireText("data"), audio.RequireText("format")));
                audio.RefuseRest();
                break;
            case "file" when part.TakeObject("file") is { } file:
                ReadFile(part.Path, file, mark, parts, reading);
                break;
            default:
                reading.CannotSay(part.Path, "is of a type that the provider of this model does not know");
                return;
        }
        part.RefuseRest();
    }

    private static void ReadFile(
        string path,
        RequestObject file,
        ReadOnlyMemory<byte> mark,
        List<Part> parts,
        RequestReading reading
    )
    {
        var name = file.TakeText("filename");
        if (file.TakeText("file_data") is { } data)
            parts.Add(new FilePart(path, Sources.OfUrl(data.Value)) { Name = name, CacheControl = mark });
        else if (file.TakeText("file_id") is { } id)
            parts.Add(new FilePart(path, new Source(SourceKind.FileId, id.Value)) { CacheControl = mark });
        else
            reading.Missing(file.PathOf("file_data"));
        file.RefuseRest();
    }
}
