using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation.Responses;

/// <summary>Reads the <c>input</c> of a response: a text, or a list of items.</summary>
/// <remarks>What the assistant said, thought and called in one go is several items here, and one message on the other wires.</remarks>
internal static class ResponsesInputReader
{
    public static void Read(RequestObject body, ModelRequest request, RequestReading reading)
    {
        if (body.Take("input") is not { } input)
        {
            reading.Missing("input");
            return;
        }
        if (input.ValueKind == JsonValueKind.String)
        {
            request.Turns.Add(
                new Turn(TurnRole.User, "input", [new TextPart("input", new JsonText(reading.Raw(input)))])
            );
            return;
        }
        if (input.ValueKind != JsonValueKind.Array)
        {
            reading.WrongType("input", "a string or an array", input);
            return;
        }
        foreach (var item in RequestObject.Objects(reading, RequestObject.Elements(input, "input")))
            ReadItem(item, request, reading);
    }

    private static void ReadItem(RequestObject item, ModelRequest request, RequestReading reading)
    {
        var type = item.TakeWord("type") ?? (item.Has("role") ? "message" : null);
        // Of an answer that comes back.
        item.Ignore("status");
        switch (type)
        {
            case "message":
                ReadMessage(item, request, reading);
                break;
            case "function_call":
                item.Ignore("id");
                AddToAssistant(
                    request,
                    item.Path,
                    new ToolCallPart(
                        item.Path,
                        item.RequireText("call_id"),
                        item.RequireText("name"),
                        item.TakeText("arguments")?.Value ?? JsonText.Empty
                    )
                );
                break;
            case "function_call_output":
                item.Ignore("id");
                var result = new ToolResultPart(
                    item.Path,
                    item.RequireText("call_id"),
                    Content(item, "output", reading),
                    IsError: false
                );
                request.Turns.Add(new Turn(TurnRole.Tool, item.Path, [result]));
                break;
            case "reasoning":
                AddToAssistant(request, item.Path, Reasoning(item));
                break;
            case null:
                reading.Missing(item.PathOf("type"));
                return;
            default:
                reading.CannotSay(item.Path, "is of a type that the provider of this model does not know");
                return;
        }
        item.RefuseRest();
    }

    private static void ReadMessage(RequestObject item, ModelRequest request, RequestReading reading)
    {
        item.Ignore("id", "phase");
        TurnRole? role = item.TakeWord("role") switch
        {
            "user" => TurnRole.User,
            "assistant" => TurnRole.Assistant,
            "system" or "developer" => TurnRole.System,
            _ => null,
        };
        var parts = Content(item, "content", reading);
        if (role is null)
            reading.Invalid(item.PathOf("role"), "expected user, assistant, system or developer");
        else if (role == TurnRole.Assistant)
            AddToAssistant(request, item.Path, [.. parts]);
        else
            request.Turns.Add(new Turn(role.Value, item.Path, parts));
    }

    private static void AddToAssistant(ModelRequest request, string path, params ReadOnlySpan<Part> parts)
    {
        if (request.Turns is not [.., { Role: TurnRole.Assistant }])
            request.Turns.Add(new Turn(TurnRole.Assistant, path, []));
        request.Turns[^1].Parts.AddRange(parts);
    }

    private static ReasoningPart Reasoning(RequestObject item)
    {
        var texts = item.TakeObjects("summary").Concat(item.TakeObjects("content"));
        JsonText? text = null;
        foreach (var part in texts)
        {
            if (part.TakeText("text") is not { } more)
                continue;
            text = text is { } before
                ? JsonText.Quote([.. before.Escaped, .. "\\n\\n"u8], more.Value.Escaped)
                : more.Value;
        }
        var id = Inside(item.TakeText("id")?.Value);
        var data = Inside(item.TakeText("encrypted_content")?.Value);
        return new ReasoningPart(item.Path, text, ReasoningSeal.From(ReasoningOrigin.Item, id, data));
    }

    private static List<Part> Content(RequestObject item, string name, RequestReading reading)
    {
        var parts = new List<Part>();
        var path = item.PathOf(name);
        if (item.Take(name) is not { } content)
        {
            reading.Missing(path);
            return parts;
        }
        switch (content.ValueKind)
        {
            case JsonValueKind.String:
                parts.Add(new TextPart(path, new JsonText(reading.Raw(content))));
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
        var mark = Chat.ChatRequestReader.CacheMark(part);
        switch (part.TakeWord("type"))
        {
            case "input_text" or "output_text" or "text":
                // Said about the text of an answer that comes back.
                part.Ignore("annotations", "logprobs");
                parts.Add(new TextPart(part.Path, part.RequireText("text")) { CacheControl = mark });
                break;
            case "refusal":
                parts.Add(new RefusalPart(part.Path, part.RequireText("refusal")));
                break;
            case "input_image":
                ReadImage(part, mark, parts, reading);
                break;
            case "input_file":
                ReadFile(part, mark, parts, reading);
                break;
            case "input_audio" when part.TakeObject("input_audio") is { } audio:
                parts.Add(new AudioPart(part.Path, audio.RequireText("data"), audio.RequireText("format")));
                break;
            default:
                reading.CannotSay(part.Path, "is of a type that the provider of this model does not know");
                return;
        }
        part.RefuseRest();
    }

    private static void ReadImage(
        RequestObject part,
        ReadOnlyMemory<byte> mark,
        List<Part> parts,
        RequestReading reading
    )
    {
        var detail = part.TakeText("detail");
        if (detail is { } d && d.Value.Escaped.SequenceEqual("auto"u8))
            detail = null;
        var id = part.TakeText("file_id");
        var url = part.TakeText("image_url");
        if (url is null && id is null)
            reading.Missing(part.PathOf("image_url"));
        var source = url is { } u ? Sources.OfUrl(u.Value) : new Source(SourceKind.FileId, id?.Value ?? JsonText.Empty);
        parts.Add(new ImagePart(part.Path, source) { Detail = detail, CacheControl = mark });
    }

    private static void ReadFile(
        RequestObject part,
        ReadOnlyMemory<byte> mark,
        List<Part> parts,
        RequestReading reading
    )
    {
        var name = part.TakeText("filename");
        var data = part.TakeText("file_data");
        var url = part.TakeText("file_url");
        var id = part.TakeText("file_id");
        if (part.TakeWord("detail") is not (null or "auto"))
            reading.CannotSay(part.PathOf("detail"), "is not known to the provider of this model");
        if (data is null && url is null && id is null)
            reading.Missing(part.PathOf("file_data"));
        var source =
            data is { } d ? Sources.OfUrl(d.Value)
            : url is { } u ? new Source(SourceKind.Url, u.Value)
            : new Source(SourceKind.FileId, id?.Value ?? JsonText.Empty);
        parts.Add(new FilePart(part.Path, source) { Name = name, CacheControl = mark });
    }

    private static ReadOnlyMemory<byte> Inside(JsonText? text) => text is { } t ? t.Token[1..^1] : default;
}
