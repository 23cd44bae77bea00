using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation.Messages;

/// <summary>Reads one of the <c>messages</c> of Anthropic's wire.</summary>
internal static class MessagesTurnReader
{
    public static void Read(RequestObject message, ModelRequest request, RequestReading reading)
    {
        TurnRole? role = message.TakeWord("role") switch
        {
            "user" => TurnRole.User,
            "assistant" => TurnRole.Assistant,
            "system" => TurnRole.System,
            _ => null,
        };
        if (role is not { } known)
        {
            reading.Invalid(message.PathOf("role"), "expected user, assistant or system");
            return;
        }
        var parts = message.Take("content") is { } content
            ? Content(content, message.PathOf("content"), reading)
            : Missing(message, reading);
        message.RefuseRest();
        // The results of tools are turns of their own on the other wires, before what the user says.
        foreach (var result in parts.Where(p => p is ToolResultPart))
            request.Turns.Add(new Turn(TurnRole.Tool, result.Path, [result]));
        var others = parts.FindAll(p => p is not ToolResultPart);
        if (others.Count > 0 || parts.Count == 0)
            request.Turns.Add(new Turn(known, message.Path, others));
    }

    /// <summary>A text, or a list of blocks.</summary>
    public static List<Part> Content(JsonElement content, string path, RequestReading reading)
    {
        var parts = new List<Part>();
        switch (content.ValueKind)
        {
            case JsonValueKind.String:
                parts.Add(new TextPart(path, new JsonText(reading.Raw(content))));
                break;
            case JsonValueKind.Array:
                foreach (var block in RequestObject.Objects(reading, RequestObject.Elements(content, path)))
                    ReadBlock(block, parts, reading);
                break;
            default:
                reading.WrongType(path, "a string or an array", content);
                break;
        }
        return parts;
    }

    private static List<Part> Missing(RequestObject message, RequestReading reading)
    {
        reading.Missing(message.PathOf("content"));
        return [];
    }

    private static void ReadBlock(RequestObject block, List<Part> parts, RequestReading reading)
    {
        var mark = MessagesRequestReader.CacheMark(block);
        switch (block.TakeWord("type"))
        {
            case "text":
                parts.Add(new TextPart(block.Path, block.RequireText("text")) { CacheControl = mark });
                // Of an answer that comes back: it was said about the text.
                block.Ignore("citations");
                break;
            case "image":
                if (Source(block, reading) is { } image)
                    parts.Add(new ImagePart(block.Path, image) { CacheControl = mark });
                break;
            case "document":
                ReadDocument(block, mark, parts, reading);
                break;
            case "thinking":
                parts.Add(
                    new ReasoningPart(
                        block.Path,
                        block.RequireText("thinking"),
                        ReasoningSeal.From(
                            ReasoningOrigin.Thinking,
                            default,
                            Inside(block.TakeText("signature")?.Value)
                        )
                    )
                );
                break;
            case "redacted_thinking":
                parts.Add(
                    new ReasoningPart(
                        block.Path,
                        Text: null,
                        ReasoningSeal.From(ReasoningOrigin.RedactedThinking, default, Inside(block.RequireText("data")))
                    )
                );
                break;
            case "tool_use":
                ReadToolUse(block, mark, parts, reading);
                break;
            case "tool_result":
                ReadToolResult(block, mark, parts, reading);
                break;
            default:
                reading.CannotSay(block.Path, "is of a type that the provider of this model does not know");
                return;
        }
        block.RefuseRest();
    }

    private static void ReadToolUse(
        RequestObject block,
        ReadOnlyMemory<byte> mark,
        List<Part> parts,
        RequestReading reading
    )
    {
        var input = block.TakeRaw("input")?.Value ?? "{}"u8.ToArray();
        parts.Add(
            new ToolCallPart(
                block.Path,
                block.RequireText("id"),
                block.RequireText("name"),
                JsonText.Quote(JsonText.Escape(input.Span))
            )
            {
                CacheControl = mark,
            }
        );
        // Who called it: the model itself, unless it was a program of Anthropic's.
        if (block.TakeObject("caller") is { } caller && caller.TakeWord("type") != "direct")
            reading.CannotSay(caller.Path, "is not known to the provider of this model");
    }

    private static void ReadToolResult(
        RequestObject block,
        ReadOnlyMemory<byte> mark,
        List<Part> parts,
        RequestReading reading
    )
    {
        var content = block.Take("content") is { } given ? Content(given, block.PathOf("content"), reading) : [];
        parts.Add(
            new ToolResultPart(
                block.Path,
                block.RequireText("tool_use_id"),
                content,
                block.TakeBool("is_error")?.Value ?? false
            )
            {
                CacheControl = mark,
            }
        );
    }

    private static void ReadDocument(
        RequestObject block,
        ReadOnlyMemory<byte> mark,
        List<Part> parts,
        RequestReading reading
    )
    {
        var name = block.TakeText("title");
        var context = block.TakeText("context");
        Given<bool>? citations = null;
        if (block.TakeObject("citations") is { } wanted)
            citations = wanted.TakeBool("enabled") is { Value: true } enabled ? enabled : null;
        if (Source(block, reading) is { } source)
            parts.Add(
                new FilePart(block.Path, source)
                {
                    Name = name,
                    Context = context,
                    Citations = citations,
                    CacheControl = mark,
                }
            );
    }

    private static Source? Source(RequestObject block, RequestReading reading)
    {
        if (block.TakeObject("source") is not { } source)
        {
            reading.Missing(block.PathOf("source"));
            return null;
        }
        switch (source.TakeWord("type"))
        {
            case "base64":
                return new Source(
                    SourceKind.Base64,
                    source.RequireText("data"),
                    source.RequireText("media_type").ToString()
                );
            case "url":
                return new Source(SourceKind.Url, source.RequireText("url"));
            case "text":
                source.Ignore("media_type");
                return new Source(SourceKind.Text, source.RequireText("data"));
            case "file":
                return new Source(SourceKind.FileId, source.RequireText("file_id"));
            default:
                reading.CannotSay(source.Path, "is of a type that the provider of this model does not know");
                return null;
        }
    }

    private static ReadOnlyMemory<byte> Inside(JsonText? text) => text is { } t ? t.Token[1..^1] : default;
}
