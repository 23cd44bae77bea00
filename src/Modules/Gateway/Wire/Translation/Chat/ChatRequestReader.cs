using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation.Chat;

/// <summary>Reads the body of a chat completion (OpenAI's API reference, "Create chat completion").</summary>
internal static class ChatRequestReader
{
    public static ModelRequest Read(RequestReading reading, JsonElement root)
    {
        var body = new RequestObject(reading, root, "");
        var request = new ModelRequest
        {
            Model = body.TakeWord("model") ?? "",
            Stream = body.TakeBool("stream")?.Value ?? false,
            Temperature = body.TakeNumber("temperature"),
            TopP = body.TakeNumber("top_p"),
            // Not OpenAI's own, but vLLM's, OpenRouter's and Ollama's.
            TopK = body.TakeNumber("top_k"),
            Seed = body.TakeNumber("seed"),
            FrequencyPenalty = Unless(body.TakeNumber("frequency_penalty"), 0),
            PresencePenalty = Unless(body.TakeNumber("presence_penalty"), 0),
            Choices = Unless(body.TakeNumber("n"), 1),
            LogitBias = LogitBias(body),
            Stop = Stop(reading, body),
            Verbosity = body.TakeText("verbosity"),
            Store = body.TakeBool("store") is { Value: true } store ? store : null,
            PromptCacheKey = body.TakeText("prompt_cache_key"),
            ParallelToolCalls = body.TakeBool("parallel_tool_calls"),
            ServiceTier = Tier(body),
            Metadata = body.TakeRaw("metadata") is { } metadata && !IsEmptyObject(metadata.Value) ? metadata : null,
        };
        // max_tokens is the old name of the other (API reference).
        var maxTokens = body.TakeCount("max_tokens");
        request.MaxTokens = body.TakeCount("max_completion_tokens") ?? maxTokens;
        var user = body.TakeText("user");
        request.User = body.TakeText("safety_identifier") ?? user;
        if (body.TakeWord("reasoning_effort") is { } effort)
            request.Reasoning = new(body.PathOf("reasoning_effort"), new Reasoning(effort, Budget: null));
        ReadLogprobs(body, request);
        ReadStreamOptions(body, request);
        ReadFormat(body, request, reading);
        ReadTools(body, request, reading);
        ReadToolChoice(body, request, reading);
        ReadMessages(body, request, reading);
        if (body.Has("modalities") && IsTextOnly(body.Take("modalities")!.Value) is false)
            reading.CannotSay("modalities", "asks for more than text, which the provider of this model cannot give");
        body.RefuseRest();
        return request;
    }

    /// <summary>A function as both of OpenAI's wires describe it; on this one it stands in an object of its own.</summary>
    public static ToolDefinition Function(RequestObject function, string path, ReadOnlyMemory<byte> cacheControl)
    {
        var tool = new ToolDefinition(
            path,
            function.RequireText("name"),
            function.PathOf("name"),
            function.TakeText("description")?.Value,
            function.TakeRaw("parameters")?.Value ?? default,
            function.TakeBool("strict")?.Value
        )
        {
            CacheControl = cacheControl,
        };
        return tool;
    }

    /// <summary>The name, description, schema and strictness of a format.</summary>
    public static ResponseFormat Schema(RequestObject schema) =>
        new(
            schema.RequireText("name"),
            schema.TakeText("description")?.Value,
            schema.TakeRaw("schema")?.Value ?? "{}"u8.ToArray(),
            schema.TakeBool("strict")?.Value
        );

    /// <summary>A hint that the prefix up to here is worth caching: OpenAI's, or the one that OpenRouter took from Anthropic.</summary>
    public static ReadOnlyMemory<byte> CacheMark(RequestObject part)
    {
        var mark = part.TakeRaw("cache_control")?.Value;
        if (part.Take("prompt_cache_breakpoint") is not null)
            mark ??= "{\"type\":\"ephemeral\"}"u8.ToArray();
        return mark ?? default;
    }

    private static Given<Number>? Unless(Given<Number>? given, double neutral) =>
        given is { } number && number.Value.Value != neutral ? given : null;

    private static bool IsEmptyObject(ReadOnlyMemory<byte> raw) => raw.Length == 2;

    private static Given<ReadOnlyMemory<byte>>? LogitBias(RequestObject body) =>
        body.TakeRaw("logit_bias") is { } bias && !IsEmptyObject(bias.Value) ? bias : null;

    private static bool IsTextOnly(JsonElement modalities) =>
        modalities.ValueKind == JsonValueKind.Array
        && modalities.GetArrayLength() == 1
        && modalities[0].ValueKind == JsonValueKind.String
        && modalities[0].ValueEquals("text"u8);

    private static Given<List<JsonText>>? Stop(RequestReading reading, RequestObject body)
    {
        if (body.Take("stop") is not { } stop)
            return null;
        var path = body.PathOf("stop");
        if (stop.ValueKind == JsonValueKind.String)
            return new(path, [new JsonText(reading.Raw(stop))]);
        if (stop.ValueKind != JsonValueKind.Array)
        {
            reading.WrongType(path, "a string or an array of strings", stop);
            return null;
        }
        var texts = Texts(reading, RequestObject.Elements(stop, path));
        return texts.Count > 0 ? new(path, texts) : null;
    }

    /// <summary>Strings of a list.</summary>
    public static List<JsonText> Texts(RequestReading reading, IEnumerable<(JsonElement Element, string Path)> elements)
    {
        var texts = new List<JsonText>();
        foreach (var (element, path) in elements)
        {
            if (element.ValueKind == JsonValueKind.String)
                texts.Add(new JsonText(reading.Raw(element)));
            else
                reading.WrongType(path, "a string", element);
        }
        return texts;
    }

    /// <summary>The service tier, in OpenAI's words.</summary>
    public static Given<ServiceTier>? Tier(RequestObject body) =>
        body.TakeWord("service_tier") switch
        {
            null => null,
            "auto" => new(body.PathOf("service_tier"), ServiceTier.Auto),
            "default" => new(body.PathOf("service_tier"), ServiceTier.Standard),
            _ => new(body.PathOf("service_tier"), ServiceTier.Other),
        };

    private static void ReadLogprobs(RequestObject body, ModelRequest request)
    {
        var wanted = body.TakeBool("logprobs");
        var top = body.TakeCount("top_logprobs");
        if (wanted is { Value: true })
            request.Logprobs = new("logprobs", (int)Math.Min(top?.Value ?? 0, int.MaxValue));
        else if (top is { Value: > 0 })
            request.Logprobs = new("top_logprobs", (int)Math.Min(top.Value.Value, int.MaxValue));
    }

    private static void ReadStreamOptions(RequestObject body, ModelRequest request)
    {
        if (body.TakeObject("stream_options") is not { } options)
            return;
        request.IncludesUsage = options.TakeBool("include_usage")?.Value ?? false;
        // Padding against traffic analysis; there is none where the events are made here.
        options.Ignore("include_obfuscation");
        options.RefuseRest();
    }

    private static void ReadFormat(RequestObject body, ModelRequest request, RequestReading reading)
    {
        if (body.TakeObject("response_format") is not { } format)
            return;
        switch (format.TakeWord("type"))
        {
            case "text":
                break;
            case "json_object":
                request.Format = new(format.Path, new ResponseFormat(null, null, default, null));
                break;
            case "json_schema" when format.TakeObject("json_schema") is { } schema:
                request.Format = new(format.Path, Schema(schema));
                schema.RefuseRest();
                break;
            case "json_schema":
                reading.Missing(format.PathOf("json_schema"));
                break;
            default:
                format.Refuse("type");
                reading.CannotSay(format.Path, "is of a type that the provider of this model does not know");
                break;
        }
        format.RefuseRest();
    }

    private static void ReadTools(RequestObject body, ModelRequest request, RequestReading reading)
    {
        foreach (var tool in body.TakeObjects("tools"))
        {
            var type = tool.TakeWord("type");
            if (type == "function" && tool.TakeObject("function") is { } function)
            {
                request.Tools.Add(Function(function, tool.Path, CacheMark(tool)));
                function.RefuseRest();
                tool.RefuseRest();
            }
            else
            {
                reading.CannotSay(
                    tool.Path,
                    "is not a function, and other tools are not known to the provider of this model"
                );
            }
        }
    }

    private static void ReadToolChoice(RequestObject body, ModelRequest request, RequestReading reading)
    {
        if (body.Take("tool_choice") is not { } choice)
            return;
        if (choice.ValueKind == JsonValueKind.String)
            request.ToolChoice = Choice("tool_choice", choice, reading);
        else if (choice.ValueKind == JsonValueKind.Object)
            ReadNamedChoice(new RequestObject(reading, choice, "tool_choice"), request, reading);
        else
            reading.WrongType("tool_choice", "a string or an object", choice);
    }

    /// <summary>The choices that are one word.</summary>
    public static Given<ToolChoice>? Choice(string path, JsonElement word, RequestReading reading)
    {
        switch (new JsonText(reading.Raw(word)).ToString())
        {
            case "auto":
                return new(path, new ToolChoice(ToolChoiceKind.Auto, []));
            case "none":
                return new(path, new ToolChoice(ToolChoiceKind.None, []));
            case "required":
                return new(path, new ToolChoice(ToolChoiceKind.Required, []));
            default:
                reading.Invalid(path, "expected 'auto', 'none', 'required' or an object");
                return null;
        }
    }

    private static void ReadNamedChoice(RequestObject choice, ModelRequest request, RequestReading reading)
    {
        switch (choice.TakeWord("type"))
        {
            case "function" when choice.TakeObject("function") is { } function:
                request.ToolChoice = new(
                    choice.Path,
                    new ToolChoice(ToolChoiceKind.Named, [function.RequireText("name")])
                );
                break;
            case "allowed_tools" when choice.TakeObject("allowed_tools") is { } allowed:
                var names = new List<JsonText>();
                foreach (var tool in allowed.TakeObjects("tools"))
                {
                    if (tool.TakeObject("function") is { } function)
                        names.Add(function.RequireText("name"));
                }
                request.ToolChoice = new(
                    choice.Path,
                    new ToolChoice(ToolChoiceKind.Allowed, names, allowed.TakeWord("mode") == "required")
                );
                break;
            default:
                reading.CannotSay(choice.Path, "is of a type that the provider of this model does not know");
                break;
        }
    }

    private static void ReadMessages(RequestObject body, ModelRequest request, RequestReading reading)
    {
        if (!body.Has("messages"))
            reading.Missing("messages");
        foreach (var message in body.TakeObjects("messages"))
            ChatMessageReader.Read(message, request, reading);
    }
}
