using Verbatim.Modules.Gateway.Wire.Translation.Chat;
using Verbatim.Modules.Gateway.Wire.Translation.Messages;

namespace Verbatim.Modules.Gateway.Wire.Translation.Responses;

/// <summary>Writes the body of <c>POST /v1/responses</c> (OpenAI's API reference, "Create a model response").</summary>
internal static class ResponsesRequestWriter
{
    private const string NotKnown = "is not known to OpenAI's responses";

    public static void Write(ModelRequest request, RequestWriting writing)
    {
        var json = writing.Json;
        json.WriteStartObject();
        json.WriteString("model"u8, writing.Target.Model);
        ResponsesInputWriter.Write(request, writing);
        if (request.MaxTokens is { } most)
            // The least that this wire takes.
            json.WriteNumber("max_output_tokens"u8, Math.Max(16, most.Value));
        if (request.Stream)
            json.WriteBoolean("stream"u8, value: true);
        // The caller's whole history is in each of their requests, so nothing has to be kept unless they ask for it.
        json.WriteBoolean("store"u8, request.Store is { Value: true });
        writing.Number("temperature"u8, request.Temperature);
        writing.Number("top_p"u8, request.TopP);
        WriteInclude(request, writing);
        WriteTools(request, writing);
        WriteText(request, writing);
        WriteReasoning(request, writing);
        if (request.User is { } user)
            writing.Text("safety_identifier"u8, MessagesRequestWriter.Within(user.Value, 64));
        if (request.ServiceTier is { Value: ServiceTier.Standard })
            json.WriteString("service_tier"u8, "default"u8);
        else if (request.ServiceTier is { Value: ServiceTier.Other } tier)
            writing.CannotDo(tier.Parameter, "names a tier that " + NotKnown[3..]);
        writing.Raw("metadata"u8, request.Metadata is { } metadata ? metadata.Value.Span : default);
        writing.Text("prompt_cache_key"u8, request.PromptCacheKey?.Value);
        json.WriteEndObject();
        ReportUnknown(request, writing);
    }

    private static void ReportUnknown(ModelRequest request, RequestWriting writing)
    {
        writing.CannotDo(request.TopK, NotKnown);
        writing.CannotDo(request.Seed, NotKnown);
        writing.CannotDo(request.FrequencyPenalty, NotKnown);
        writing.CannotDo(request.PresencePenalty, NotKnown);
        writing.CannotDo(request.Choices, "asks for several answers, and OpenAI's responses give one");
        writing.CannotDo(request.LogitBias, NotKnown);
        writing.CannotDo(request.Stop, NotKnown);
    }

    // Models that do not reason refuse to be asked for what encrypts it.
    private static bool Reasons(string model)
    {
        var name = model[(model.LastIndexOf('/') + 1)..];
        return name is ['o' or 'O', >= '1' and <= '9', ..]
            || (
                name.StartsWith("gpt-", StringComparison.OrdinalIgnoreCase)
                && name.Length > 4
                && name[4] is >= '5' and <= '9'
                && !name.Contains("chat", StringComparison.OrdinalIgnoreCase)
            )
            || name.StartsWith("codex", StringComparison.OrdinalIgnoreCase);
    }

    private static void WriteInclude(ModelRequest request, RequestWriting writing)
    {
        if (request.Logprobs is { } logprobs)
            writing.Json.WriteNumber("top_logprobs"u8, logprobs.Value);
        var reasons = Reasons(writing.Target.Model);
        if (!reasons && request.Logprobs is null)
            return;
        writing.Json.WriteStartArray("include"u8);
        if (reasons)
            writing.Json.WriteStringValue("reasoning.encrypted_content"u8);
        if (request.Logprobs is not null)
            writing.Json.WriteStringValue("message.output_text.logprobs"u8);
        writing.Json.WriteEndArray();
    }

    private static void WriteTools(ModelRequest request, RequestWriting writing)
    {
        var tools = request.Tools.FindAll(t => ChatRequestWriter.IsSoundTool(t, writing));
        if (tools.Count == 0)
            return;
        writing.Json.WriteStartArray("tools"u8);
        foreach (var tool in tools)
        {
            writing.Json.WriteStartObject();
            writing.Json.WriteString("type"u8, "function"u8);
            writing.Text("name"u8, tool.Name);
            writing.Text("description"u8, tool.Description);
            writing.Raw(
                "parameters"u8,
                tool.Schema.IsEmpty ? """{"type":"object","properties":{}}"""u8 : tool.Schema.Span
            );
            // Here strict is the default, on the other wires it is not.
            writing.Json.WriteBoolean("strict"u8, tool.Strict ?? false);
            writing.Json.WriteEndObject();
        }
        writing.Json.WriteEndArray();
        if (request.ParallelToolCalls is { } parallel)
            writing.Json.WriteBoolean("parallel_tool_calls"u8, parallel.Value);
        WriteToolChoice(request.ToolChoice?.Value, writing);
    }

    private static void WriteToolChoice(ToolChoice? choice, RequestWriting writing)
    {
        switch (choice?.Kind)
        {
            case null:
                break;
            case ToolChoiceKind.Named:
                writing.Json.WriteStartObject("tool_choice"u8);
                writing.Json.WriteString("type"u8, "function"u8);
                writing.Text("name"u8, choice.Names[0]);
                writing.Json.WriteEndObject();
                break;
            case ToolChoiceKind.Allowed:
                writing.Json.WriteStartObject("tool_choice"u8);
                writing.Json.WriteString("type"u8, "allowed_tools"u8);
                writing.Json.WriteString("mode"u8, choice.IsRequired ? "required"u8 : "auto"u8);
                writing.Json.WriteStartArray("tools"u8);
                foreach (var name in choice.Names)
                {
                    writing.Json.WriteStartObject();
                    writing.Json.WriteString("type"u8, "function"u8);
                    writing.Text("name"u8, name);
                    writing.Json.WriteEndObject();
                }
                writing.Json.WriteEndArray();
                writing.Json.WriteEndObject();
                break;
            default:
                writing.Json.WriteString(
                    "tool_choice"u8,
                    choice.Kind switch
                    {
                        ToolChoiceKind.None => "none"u8,
                        ToolChoiceKind.Required => "required"u8,
                        _ => "auto"u8,
                    }
                );
                break;
        }
    }

    private static void WriteText(ModelRequest request, RequestWriting writing)
    {
        if (request.Format is null && request.Verbosity is null)
            return;
        writing.Json.WriteStartObject("text"u8);
        if (request.Format?.Value is { } format)
        {
            writing.Json.WriteStartObject("format"u8);
            writing.Json.WriteString("type"u8, format.Schema.IsEmpty ? "json_object"u8 : "json_schema"u8);
            if (!format.Schema.IsEmpty)
                ChatRequestWriter.WriteSchema(format, writing);
            writing.Json.WriteEndObject();
        }
        writing.Text("verbosity"u8, request.Verbosity?.Value);
        writing.Json.WriteEndObject();
    }

    private static void WriteReasoning(ModelRequest request, RequestWriting writing)
    {
        if (request.Reasoning?.Value is not { } reasoning)
            return;
        var effort = ChatRequestWriter.EffortOf(reasoning);
        writing.Json.WriteStartObject("reasoning"u8);
        if (effort is not null)
            writing.Json.WriteString("effort"u8, effort);
        // The callers of the other wires see thoughts whenever there are any.
        if (effort is not "none" && Reasons(writing.Target.Model))
            writing.Json.WriteString("summary"u8, "auto"u8);
        writing.Json.WriteEndObject();
    }
}
