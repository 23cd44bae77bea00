namespace Verbatim.Modules.Gateway.Wire.Translation.Messages;

/// <summary>Writes <c>system</c> and <c>messages</c> of Anthropic's wire.</summary>
/// <remarks>
/// Instructions all go to the top, in their order: a system message between the others is taken by some models only, and at some places only
/// (Claude documentation, "Mid-conversation system messages"). Turns of the same role that follow each other become one message. The results of
/// tools stand before anything else in it, which Anthropic demands behind the calls. Empty texts are left out: they are refused there.
/// </remarks>
internal static class MessagesTurnsWriter
{
    public static void Write(ModelRequest request, RequestWriting writing)
    {
        var system = request.Turns.Where(t => t.Role == TurnRole.System).SelectMany(t => t.Parts).ToList();
        var messages = Messages(request, writing);
        writing.HasNothingElse = messages.Count == 0 && system.Count == 0;
        if (messages.Count == 0 && system.Count > 0)
        {
            // There must be a message, and a chat of instructions alone is allowed to OpenAI's callers.
            messages.Add(new Message(IsAssistant: false, system));
            system = [];
        }
        WriteSystem(system, writing);
        writing.Json.WriteStartArray("messages"u8);
        for (var i = 0; i < messages.Count; i++)
            WriteMessage(messages[i], isLast: i == messages.Count - 1, writing);
        writing.Json.WriteEndArray();
    }

    private static List<Message> Messages(ModelRequest request, RequestWriting writing)
    {
        var messages = new List<Message>();
        foreach (var turn in request.Turns)
        {
            if (turn.Role == TurnRole.System)
                continue;
            var parts = Taken(turn.Parts, writing);
            // A message that nothing is left of would be refused there.
            if (parts.Count == 0)
                continue;
            var isAssistant = turn.Role == TurnRole.Assistant;
            if (messages is [.., var last] && last.IsAssistant == isAssistant)
                last.Parts.AddRange(parts);
            else
                messages.Add(new Message(isAssistant, [.. parts]));
        }
        foreach (var message in messages.Where(m => !m.IsAssistant))
        {
            var results = message.Parts.FindAll(p => p is ToolResultPart);
            if (results.Count == 0 || results.Count == message.Parts.Count)
                continue;
            message.Parts.RemoveAll(p => p is ToolResultPart);
            message.Parts.InsertRange(0, results);
        }
        return messages;
    }

    private static List<Part> Taken(List<Part> parts, RequestWriting writing)
    {
        var taken = new List<Part>(parts.Count);
        foreach (var part in parts)
        {
            if (!IsSaid(part))
                continue;
            if (WhyNot(part) is { } why)
                writing.CannotDo(part.Path, why);
            else
                taken.Add(part);
        }
        return taken;
    }

    private static string? WhyNot(Part part) =>
        part switch
        {
            AudioPart => "is sound, which Anthropic's messages do not take",
            ImagePart { Source.Kind: SourceKind.FileId } or FilePart { Source.Kind: SourceKind.FileId } =>
                "is a file at another provider",
            ImagePart { Source: { Kind: SourceKind.Base64, MediaType: var type } } when !Sources.IsImage(type) =>
                "is of a media type that Anthropic's messages do not take for an image",
            FilePart { Source: { Kind: SourceKind.Base64, MediaType: not "application/pdf" } source }
                when Plain(source) is null => "is of a media type that Anthropic's messages do not take for a document",
            _ => null,
        };

    private static JsonText? Plain(Source source) =>
        source is { Kind: SourceKind.Base64, MediaType: "text/plain" } ? Sources.TextOf(source) : null;

    // Thoughts of others have no signature that Anthropic would know, and are refused without one.
    private static bool IsSaid(Part part) =>
        part switch
        {
            TextPart { Text.IsBlank: true } => false,
            RefusalPart { Text.IsBlank: true } => false,
            ReasoningPart { Seal: { Origin: ReasoningOrigin.Thinking, Data.IsEmpty: false } } => true,
            ReasoningPart { Seal: { Origin: ReasoningOrigin.RedactedThinking, Data.IsEmpty: false } } => true,
            ReasoningPart => false,
            _ => true,
        };

    private static void WriteSystem(List<Part> system, RequestWriting writing)
    {
        var texts = system.FindAll(IsSaid);
        if (texts.Count == 0)
            return;
        if (texts is [TextPart { CacheControl.IsEmpty: true } only])
        {
            writing.Text("system"u8, only.Text);
            return;
        }
        writing.Json.WriteStartArray("system"u8);
        foreach (var part in texts)
        {
            if (part is TextPart)
                WritePart(part, writing);
            else
                writing.CannotDo(part.Path, "is no text, which is all that Anthropic's instructions can be");
        }
        writing.Json.WriteEndArray();
    }

    private static void WriteMessage(Message message, bool isLast, RequestWriting writing)
    {
        writing.Json.WriteStartObject();
        writing.Json.WriteString("role"u8, message.IsAssistant ? "assistant"u8 : "user"u8);
        writing.Json.WriteStartArray("content"u8);
        for (var i = 0; i < message.Parts.Count; i++)
        {
            var part = message.Parts[i];
            // "final assistant content cannot end with trailing whitespace": it is the beginning of the answer.
            if (isLast && message.IsAssistant && i == message.Parts.Count - 1 && part is TextPart text)
                part = text with { Text = JsonText.Of(text.Text.ToString().TrimEnd()) };
            WritePart(part, writing);
        }
        writing.Json.WriteEndArray();
        writing.Json.WriteEndObject();
    }

    private static void WritePart(Part part, RequestWriting writing)
    {
        switch (part)
        {
            case TextPart text:
                WriteText(text.Text, part, writing);
                break;
            case RefusalPart refusal:
                WriteText(refusal.Text, part, writing);
                break;
            case ReasoningPart reasoning:
                WriteReasoning(reasoning, writing);
                break;
            case ImagePart image:
                WriteImage(image, writing);
                break;
            case FilePart file:
                WriteFile(file, writing);
                break;
            case ToolCallPart call:
                WriteToolCall(call, writing);
                break;
            case ToolResultPart result:
                WriteToolResult(result, writing);
                break;
            default:
                throw new InvalidOperationException("What is not taken is left out before.");
        }
    }

    private static void Begin(ReadOnlySpan<byte> type, RequestWriting writing)
    {
        writing.Json.WriteStartObject();
        writing.Json.WriteString("type"u8, type);
    }

    private static void End(Part part, RequestWriting writing)
    {
        writing.Raw("cache_control"u8, part.CacheControl.Span);
        writing.Json.WriteEndObject();
    }

    private static void WriteText(JsonText text, Part part, RequestWriting writing)
    {
        Begin("text"u8, writing);
        writing.Text("text"u8, text);
        End(part, writing);
    }

    private static void WriteReasoning(ReasoningPart reasoning, RequestWriting writing)
    {
        if (reasoning.Seal.Origin == ReasoningOrigin.RedactedThinking)
        {
            Begin("redacted_thinking"u8, writing);
            writing.Text("data"u8, JsonText.Quote(reasoning.Seal.Data.Span));
        }
        else
        {
            Begin("thinking"u8, writing);
            writing.Text("thinking"u8, reasoning.Text ?? JsonText.Empty);
            writing.Text("signature"u8, JsonText.Quote(reasoning.Seal.Data.Span));
        }
        writing.Json.WriteEndObject();
    }

    private static void WriteImage(ImagePart image, RequestWriting writing)
    {
        writing.CannotDo(image.Detail, "is not known to Anthropic's messages");
        Begin("image"u8, writing);
        WriteSource(image.Source, writing);
        End(image, writing);
    }

    private static void WriteFile(FilePart file, RequestWriting writing)
    {
        var source = file.Source;
        if (Plain(source) is { } plain)
            source = new Source(SourceKind.Text, plain);
        Begin("document"u8, writing);
        WriteSource(source, writing);
        writing.Text("title"u8, file.Name?.Value);
        writing.Text("context"u8, file.Context?.Value);
        if (file.Citations is { } citations)
        {
            writing.Json.WriteStartObject("citations"u8);
            writing.Json.WriteBoolean("enabled"u8, citations.Value);
            writing.Json.WriteEndObject();
        }
        End(file, writing);
    }

    private static void WriteSource(Source source, RequestWriting writing)
    {
        writing.Json.WriteStartObject("source"u8);
        switch (source.Kind)
        {
            case SourceKind.Base64:
                writing.Json.WriteString("type"u8, "base64"u8);
                writing.Json.WriteString("media_type"u8, source.MediaType);
                writing.Text("data"u8, source.Data);
                break;
            case SourceKind.Text:
                writing.Json.WriteString("type"u8, "text"u8);
                writing.Json.WriteString("media_type"u8, "text/plain"u8);
                writing.Text("data"u8, source.Data);
                break;
            default:
                writing.Json.WriteString("type"u8, "url"u8);
                writing.Text("url"u8, source.Data);
                break;
        }
        writing.Json.WriteEndObject();
    }

    private static void WriteToolCall(ToolCallPart call, RequestWriting writing)
    {
        Begin("tool_use"u8, writing);
        writing.Text("id"u8, ToolNames.SoundId(call.Id));
        writing.Text("name"u8, call.Name);
        writing.Raw("input"u8, JsonObjects.OfArguments(call.Arguments));
        End(call, writing);
    }

    private static void WriteToolResult(ToolResultPart result, RequestWriting writing)
    {
        Begin("tool_result"u8, writing);
        writing.Text("tool_use_id"u8, ToolNames.SoundId(result.Id));
        var content = Taken(result.Content, writing);
        if (content is [TextPart { CacheControl.IsEmpty: true } only])
        {
            writing.Text("content"u8, only.Text);
        }
        else if (content.Count > 0)
        {
            writing.Json.WriteStartArray("content"u8);
            foreach (var part in content)
                WritePart(part, writing);
            writing.Json.WriteEndArray();
        }
        if (result.IsError)
            writing.Json.WriteBoolean("is_error"u8, value: true);
        End(result, writing);
    }

    private sealed record Message(bool IsAssistant, List<Part> Parts);
}
