using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>Writes what a chat client is asked as a chat completion (OpenAI's API reference, "Create chat completion").</summary>
internal static class ChatRequestBody
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The body.</summary>
    /// <exception cref="NotSupportedException">The wire has no word for a part of it; nothing is left out in silence.</exception>
    public static ReadOnlyMemory<byte> Write(IEnumerable<ChatMessage> messages, ChatOptions? options, bool stream)
    {
        if (options?.ModelId is not { Length: > 0 } model)
            throw new ArgumentException("ChatOptions.ModelId names no model.", nameof(options));
        if (options.ConversationId is not null)
            throw new NotSupportedException("The gateway keeps no conversations: send all messages.");
        if (options.ContinuationToken is not null || options.AllowBackgroundResponses is true)
            throw new NotSupportedException("The gateway answers chat completions in the foreground.");

        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("model"u8, model);
            json.WriteStartArray("messages"u8);
            if (options.Instructions is { Length: > 0 } instructions)
                ChatMessageBody.Write(json, new ChatMessage(ChatRole.System, instructions), model);
            foreach (var message in messages)
                ChatMessageBody.Write(json, message, model);
            json.WriteEndArray();
            if (stream)
            {
                json.WriteBoolean("stream"u8, true);
                json.WriteStartObject("stream_options"u8);
                json.WriteBoolean("include_usage"u8, true);
                json.WriteEndObject();
            }
            WriteSampling(json, options);
            WriteFormat(json, options.ResponseFormat);
            WriteTools(json, options);
            WriteRest(json, options);
            json.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }

    private static void WriteSampling(Utf8JsonWriter json, ChatOptions options)
    {
        if (options.Temperature is { } temperature)
            json.WriteNumber("temperature"u8, temperature);
        if (options.TopP is { } topP)
            json.WriteNumber("top_p"u8, topP);
        if (options.TopK is { } topK)
            json.WriteNumber("top_k"u8, topK);
        if (options.FrequencyPenalty is { } frequency)
            json.WriteNumber("frequency_penalty"u8, frequency);
        if (options.PresencePenalty is { } presence)
            json.WriteNumber("presence_penalty"u8, presence);
        if (options.Seed is { } seed)
            json.WriteNumber("seed"u8, seed);
        if (options.MaxOutputTokens is { } most)
            json.WriteNumber("max_completion_tokens"u8, most);
        if (options.StopSequences is { Count: > 0 } stops)
        {
            json.WriteStartArray("stop"u8);
            foreach (var stop in stops)
                json.WriteStringValue(stop);
            json.WriteEndArray();
        }
        if (options.Reasoning?.Effort is { } effort)
            json.WriteString(
                "reasoning_effort"u8,
                effort switch
                {
                    ReasoningEffort.None => "none",
                    ReasoningEffort.Low => "low",
                    ReasoningEffort.Medium => "medium",
                    ReasoningEffort.High => "high",
                    ReasoningEffort.ExtraHigh => "xhigh",
                    _ => throw new NotSupportedException($"There is no word for the effort {effort}."),
                }
            );
    }

    private static void WriteFormat(Utf8JsonWriter json, ChatResponseFormat? format)
    {
        if (format is null or ChatResponseFormatText)
            return;
        if (format is not ChatResponseFormatJson asked)
            throw new NotSupportedException($"There is no word for the response format {format.GetType().Name}.");
        json.WriteStartObject("response_format"u8);
        if (asked.Schema is { } schema)
        {
            json.WriteString("type"u8, "json_schema"u8);
            json.WriteStartObject("json_schema"u8);
            json.WriteString("name"u8, asked.SchemaName ?? "answer");
            if (asked.SchemaDescription is { } description)
                json.WriteString("description"u8, description);
            json.WritePropertyName("schema"u8);
            schema.WriteTo(json);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("type"u8, "json_object"u8);
        }
        json.WriteEndObject();
    }

    private static void WriteTools(Utf8JsonWriter json, ChatOptions options)
    {
        if (options.Tools is not { Count: > 0 } tools)
            return;
        json.WriteStartArray("tools"u8);
        foreach (var tool in tools)
        {
            if (tool is not AIFunctionDeclaration function)
                throw new NotSupportedException($"The tool {tool.Name} is no function; the wire has functions only.");
            json.WriteStartObject();
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, function.Name);
            if (function.Description is { Length: > 0 } description)
                json.WriteString("description"u8, description);
            json.WritePropertyName("parameters"u8);
            function.JsonSchema.WriteTo(json);
            if (function.AdditionalProperties.TryGetValue("strict", out var strict) && strict is bool isStrict)
                json.WriteBoolean("strict"u8, isStrict);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (options.AllowMultipleToolCalls is { } several)
            json.WriteBoolean("parallel_tool_calls"u8, several);
        switch (options.ToolMode)
        {
            case null:
                break;
            case AutoChatToolMode:
                json.WriteString("tool_choice"u8, "auto"u8);
                break;
            case NoneChatToolMode:
                json.WriteString("tool_choice"u8, "none"u8);
                break;
            case RequiredChatToolMode { RequiredFunctionName: { } name }:
                json.WriteStartObject("tool_choice"u8);
                json.WriteString("type"u8, "function"u8);
                json.WriteStartObject("function"u8);
                json.WriteString("name"u8, name);
                json.WriteEndObject();
                json.WriteEndObject();
                break;
            case RequiredChatToolMode:
                json.WriteString("tool_choice"u8, "required"u8);
                break;
            default:
                throw new NotSupportedException(
                    $"There is no word for the tool mode {options.ToolMode.GetType().Name}."
                );
        }
    }

    // Parameters of the wire, or of one provider, for which the options have no property.
    private static void WriteRest(Utf8JsonWriter json, ChatOptions options)
    {
        foreach (var (name, value) in options.AdditionalProperties ?? [])
        {
            if (name is "model" or "messages" or "stream" or "stream_options" or "tools" or "response_format")
                throw new ArgumentException($"'{name}' follows from the other options.", nameof(options));
            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, value, AIJsonUtilities.DefaultOptions);
        }
    }
}
