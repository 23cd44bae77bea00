namespace Verbatim.Modules.Gateway.Wire.Translation.Chat;

/// <summary>Writes the body of a chat completion (OpenAI's API reference, "Create chat completion").</summary>
internal static class ChatRequestWriter
{
    private const string NotKnown = "is not known to chat completions";

    public static void Write(ModelRequest request, RequestWriting writing)
    {
        var json = writing.Json;
        json.WriteStartObject();
        json.WriteString("model"u8, writing.Target.Model);
        ChatTurnsWriter.Write(request, writing);
        if (request.MaxTokens is { } most)
            json.WriteNumber(LimitOf(writing.Target.Model), most.Value);
        if (request.Stream)
        {
            json.WriteBoolean("stream"u8, value: true);
            // Without it nobody would know what the call used.
            writing.Raw("stream_options"u8, """{"include_usage":true}"""u8);
        }
        WriteSampling(request, writing);
        WriteTools(request, writing);
        WriteToolChoice(request, writing);
        WriteFormat(request, writing);
        if (request.Reasoning is { } reasoning && EffortOf(reasoning.Value) is { } effort)
            json.WriteString("reasoning_effort"u8, effort);
        writing.Text("verbosity"u8, request.Verbosity?.Value);
        // 64 is the most that OpenAI takes of it.
        if (request.User is { } user)
            writing.Text("user"u8, Messages.MessagesRequestWriter.Within(user.Value, 64));
        if (request.ServiceTier is { Value: ServiceTier.Standard })
            json.WriteString("service_tier"u8, "default"u8);
        else if (request.ServiceTier is { Value: ServiceTier.Other } tier)
            writing.CannotDo(tier.Parameter, "names a tier that " + NotKnown[3..]);
        writing.Text("prompt_cache_key"u8, request.PromptCacheKey?.Value);
        json.WriteEndObject();
    }

    /// <summary>
    /// The words of OpenAI's wires for how much to think. A budget in tokens has none: what is near to it is said. Where the model is to decide, nothing
    /// is said, so that it does.
    /// </summary>
    public static string? EffortOf(Reasoning reasoning) =>
        reasoning switch
        {
            { Effort: { } effort } => effort,
            { Budget: { } budget } => budget switch
            {
                < 4096 => "low",
                < 16384 => "medium",
                _ => "high",
            },
            _ => null,
        };

    /// <summary>The name of a tool as OpenAI takes it, or false and it is named.</summary>
    public static bool IsSoundTool(ToolDefinition tool, RequestWriting writing)
    {
        // FunctionDefinition: a-z, A-Z, 0-9, underscores and dashes, at most 64.
        if (ToolNames.IsSound(tool.Name, most: 64))
            return true;
        writing.CannotDo(
            tool.NamePath,
            "is no name for OpenAI's wires, which take 1 to 64 letters, digits, '_' and '-'"
        );
        return false;
    }

    // max_tokens is deprecated at OpenAI, whose reasoning models refuse it; other servers of this wire know it alone.
    private static ReadOnlySpan<byte> LimitOf(string model)
    {
        var name = model[(model.LastIndexOf('/') + 1)..];
        var isOpenAi =
            name.StartsWith("gpt-", StringComparison.OrdinalIgnoreCase)
                && !name.StartsWith("gpt-oss", StringComparison.OrdinalIgnoreCase)
            || name is ['o' or 'O', >= '1' and <= '9', ..]
            || name.StartsWith("chatgpt-", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("codex-", StringComparison.OrdinalIgnoreCase);
        return isOpenAi ? "max_completion_tokens"u8 : "max_tokens"u8;
    }

    private static void WriteSampling(ModelRequest request, RequestWriting writing)
    {
        writing.Number("temperature"u8, request.Temperature);
        writing.Number("top_p"u8, request.TopP);
        writing.CannotDo(request.TopK, NotKnown);
        writing.Number("seed"u8, request.Seed);
        writing.Number("frequency_penalty"u8, request.FrequencyPenalty);
        writing.Number("presence_penalty"u8, request.PresencePenalty);
        if (request.Logprobs is { } logprobs)
        {
            writing.Json.WriteBoolean("logprobs"u8, value: true);
            writing.Json.WriteNumber("top_logprobs"u8, logprobs.Value);
        }
        if (request.Stop is not { } stop)
            return;
        writing.Json.WriteStartArray("stop"u8);
        foreach (var sequence in stop.Value)
            writing.Value(sequence);
        writing.Json.WriteEndArray();
    }

    private static void WriteTools(ModelRequest request, RequestWriting writing)
    {
        var tools = request.Tools.FindAll(t => IsSoundTool(t, writing));
        if (tools.Count == 0)
            return;
        writing.Json.WriteStartArray("tools"u8);
        foreach (var tool in tools)
        {
            writing.Json.WriteStartObject();
            writing.Json.WriteString("type"u8, "function"u8);
            writing.Json.WriteStartObject("function"u8);
            writing.Text("name"u8, tool.Name);
            writing.Text("description"u8, tool.Description);
            writing.Raw("parameters"u8, tool.Schema.Span);
            if (tool.Strict is { } strict)
                writing.Json.WriteBoolean("strict"u8, strict);
            writing.Json.WriteEndObject();
            writing.Json.WriteEndObject();
        }
        writing.Json.WriteEndArray();
    }

    private static void WriteToolChoice(ModelRequest request, RequestWriting writing)
    {
        // OpenAI refuses both where there are no tools.
        if (request.Tools.Count == 0)
            return;
        if (request.ParallelToolCalls is { } parallel)
            writing.Json.WriteBoolean("parallel_tool_calls"u8, parallel.Value);
        switch (request.ToolChoice?.Value)
        {
            case { Kind: ToolChoiceKind.Auto }:
                writing.Json.WriteString("tool_choice"u8, "auto"u8);
                break;
            case { Kind: ToolChoiceKind.None }:
                writing.Json.WriteString("tool_choice"u8, "none"u8);
                break;
            case { Kind: ToolChoiceKind.Required }:
                writing.Json.WriteString("tool_choice"u8, "required"u8);
                break;
            case { Kind: ToolChoiceKind.Named } named:
                writing.Json.WriteStartObject("tool_choice"u8);
                WriteNamed(named.Names[0], writing);
                writing.Json.WriteEndObject();
                break;
            case { Kind: ToolChoiceKind.Allowed } allowed:
                WriteAllowed(allowed, writing);
                break;
            default:
                break;
        }
    }

    private static void WriteNamed(JsonText name, RequestWriting writing)
    {
        writing.Json.WriteString("type"u8, "function"u8);
        writing.Json.WriteStartObject("function"u8);
        writing.Text("name"u8, name);
        writing.Json.WriteEndObject();
    }

    private static void WriteAllowed(ToolChoice allowed, RequestWriting writing)
    {
        writing.Json.WriteStartObject("tool_choice"u8);
        writing.Json.WriteString("type"u8, "allowed_tools"u8);
        writing.Json.WriteStartObject("allowed_tools"u8);
        writing.Json.WriteString("mode"u8, allowed.IsRequired ? "required"u8 : "auto"u8);
        writing.Json.WriteStartArray("tools"u8);
        foreach (var name in allowed.Names)
        {
            writing.Json.WriteStartObject();
            WriteNamed(name, writing);
            writing.Json.WriteEndObject();
        }
        writing.Json.WriteEndArray();
        writing.Json.WriteEndObject();
        writing.Json.WriteEndObject();
    }

    private static void WriteFormat(ModelRequest request, RequestWriting writing)
    {
        if (request.Format?.Value is not { } format)
            return;
        writing.Json.WriteStartObject("response_format"u8);
        if (format.Schema.IsEmpty)
        {
            writing.Json.WriteString("type"u8, "json_object"u8);
        }
        else
        {
            writing.Json.WriteString("type"u8, "json_schema"u8);
            writing.Json.WriteStartObject("json_schema"u8);
            WriteSchema(format, writing);
            writing.Json.WriteEndObject();
        }
        writing.Json.WriteEndObject();
    }

    /// <summary>The members that a schema has on both of OpenAI's wires.</summary>
    public static void WriteSchema(ResponseFormat format, RequestWriting writing)
    {
        // OpenAI wants a name, which Anthropic's callers have none for.
        writing.Text("name"u8, format.Name ?? JsonText.Of("answer"));
        writing.Text("description"u8, format.Description);
        writing.Raw("schema"u8, format.Schema.Span);
        if (format.Strict is { } strict)
            writing.Json.WriteBoolean("strict"u8, strict);
    }
}
