using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>Writes a message as the chat-completions wire has it; the results of tools are a message each.</summary>
internal static class ChatMessageBody
{
    public static void Write(Utf8JsonWriter json, ChatMessage message, string model)
    {
        foreach (var result in message.Contents.OfType<FunctionResultContent>())
            WriteResult(json, result);
        var rest = message.Contents.Where(c => c is not FunctionResultContent).ToList();
        if (rest.Count == 0 && (message.Contents.Count > 0 || message.Role == ChatRole.Tool))
            return;
        if (message.Role == ChatRole.Tool)
            throw new NotSupportedException("A message of a tool has results of functions only.");

        json.WriteStartObject();
        json.WriteString("role"u8, message.Role.Value);
        if (message.Role == ChatRole.Assistant)
            WriteAssistant(json, rest, model);
        else
            WriteContent(json, rest);
        json.WriteEndObject();
    }

    private static void WriteAssistant(Utf8JsonWriter json, List<AIContent> contents, string model)
    {
        var calls = contents.OfType<FunctionCallContent>().ToList();
        var texts = contents.OfType<TextContent>().Where(t => t.Text.Length > 0).ToList();
        if (
            contents.Find(c =>
                c is not (TextContent or FunctionCallContent or TextReasoningContent or UsageContent or ErrorContent)
            ) is
            { } other
        )
            throw new NotSupportedException($"An assistant's message has no {other.GetType().Name} on the wire.");
        if (texts.Count == 0)
            json.WriteNull("content"u8);
        else
            json.WriteString("content"u8, string.Concat(texts.Select(t => t.Text)));
        if (contents.OfType<ErrorContent>().FirstOrDefault(e => e.ErrorCode == AnswerContents.Refusal) is { } refusal)
            json.WriteString("refusal"u8, refusal.Message);
        WriteReasoning(json, [.. contents.OfType<TextReasoningContent>()], model, isInToolLoop: calls.Count > 0);
        if (calls.Count == 0)
            return;
        json.WriteStartArray("tool_calls"u8);
        foreach (var call in calls)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, call.CallId);
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, call.Name);
            json.WriteString("arguments"u8, ToolCallArguments.Write(call));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteReasoning(
        Utf8JsonWriter json,
        List<TextReasoningContent> thoughts,
        string model,
        bool isInToolLoop
    )
    {
        if (thoughts.Exists(t => t.ProtectedData is not null))
        {
            json.WriteStartArray("reasoning_details"u8);
            foreach (var thought in thoughts)
            {
                if (thought.ProtectedData is { } seal)
                    ReasoningProtection.TryWriteDetail(json, seal, thought.Text, model);
            }
            json.WriteEndArray();
        }
        else if (isInToolLoop && thoughts.Count > 0)
        {
            // DeepSeek wants its thoughts back while it calls tools, and refuses them afterwards ("Thinking mode", "Tool calls").
            json.WriteString("reasoning_content"u8, string.Concat(thoughts.Select(t => t.Text)));
        }
    }

    private static void WriteContent(Utf8JsonWriter json, List<AIContent> contents)
    {
        json.WritePropertyName("content"u8);
        // One text as a string, since that is what every provider takes.
        if (contents is [])
            json.WriteStringValue("");
        else if (contents is [TextContent { AdditionalProperties: null } text])
            json.WriteStringValue(text.Text);
        else
            WriteParts(json, contents);
    }

    private static void WriteParts(Utf8JsonWriter json, IEnumerable<AIContent> contents)
    {
        json.WriteStartArray();
        foreach (var content in contents)
        {
            json.WriteStartObject();
            WritePart(json, content);
            // Anthropic's mark of a prefix that is worth caching, which has no property of its own.
            if (content.AdditionalProperties?.TryGetValue("cache_control", out var mark) is true)
            {
                json.WritePropertyName("cache_control"u8);
                JsonSerializer.Serialize(json, mark, AIJsonUtilities.DefaultOptions);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WritePart(Utf8JsonWriter json, AIContent content)
    {
        switch (content)
        {
            case TextContent text:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, text.Text);
                break;
            case DataContent image when image.HasTopLevelMediaType("image"):
                WriteImage(json, image.Uri, image);
                break;
            case UriContent image when image.HasTopLevelMediaType("image"):
                WriteImage(json, image.Uri.AbsoluteUri, image);
                break;
            case DataContent audio when audio.HasTopLevelMediaType("audio"):
                json.WriteString("type"u8, "input_audio"u8);
                json.WriteStartObject("input_audio"u8);
                json.WriteString("data"u8, audio.Base64Data.Span);
                json.WriteString("format"u8, AudioFormatOf(audio.MediaType));
                json.WriteEndObject();
                break;
            case DataContent file:
                WriteFile(json, file.Name, file.Uri);
                break;
            case UriContent file:
                WriteFile(json, name: null, file.Uri.AbsoluteUri);
                break;
            case HostedFileContent file:
                json.WriteString("type"u8, "file"u8);
                json.WriteStartObject("file"u8);
                json.WriteString("file_id"u8, file.FileId);
                json.WriteEndObject();
                break;
            default:
                throw new NotSupportedException($"A message has no {content.GetType().Name} on the wire.");
        }
    }

    private static void WriteImage(Utf8JsonWriter json, string url, AIContent image)
    {
        json.WriteString("type"u8, "image_url"u8);
        json.WriteStartObject("image_url"u8);
        json.WriteString("url"u8, url);
        if (image.AdditionalProperties?.TryGetValue("detail", out var detail) is true && detail is not null)
            json.WriteString("detail"u8, detail.ToString());
        json.WriteEndObject();
    }

    private static void WriteFile(Utf8JsonWriter json, string? name, string data)
    {
        json.WriteString("type"u8, "file"u8);
        json.WriteStartObject("file"u8);
        json.WriteString("filename"u8, name ?? "file");
        json.WriteString("file_data"u8, data);
        json.WriteEndObject();
    }

    private static string AudioFormatOf(string mediaType) =>
        mediaType switch
        {
            "audio/mpeg" or "audio/mp3" => "mp3",
            "audio/wav" or "audio/x-wav" or "audio/wave" => "wav",
            _ => mediaType[(mediaType.IndexOf('/', StringComparison.Ordinal) + 1)..],
        };

    private static void WriteResult(Utf8JsonWriter json, FunctionResultContent result)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, "tool"u8);
        json.WriteString("tool_call_id"u8, result.CallId);
        json.WritePropertyName("content"u8);
        switch (result.Result)
        {
            // What a failed tool says may hold a secret of the server; who wants the model to know more puts it into the result.
            case null:
                json.WriteStringValue(result.Exception is null ? "" : "Error: the tool failed.");
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case TextContent text:
                json.WriteStringValue(text.Text);
                break;
            case AIContent content:
                WriteParts(json, [content]);
                break;
            case IEnumerable<AIContent> contents:
                WriteParts(json, contents);
                break;
            case JsonElement { ValueKind: JsonValueKind.String } text:
                json.WriteStringValue(text.GetString());
                break;
            default:
                json.WriteStringValue(JsonSerializer.Serialize(result.Result, ToolCallArguments.Compact));
                break;
        }
        json.WriteEndObject();
    }
}
