using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.Translation.Chat;

namespace Verbatim.Modules.Gateway.Wire.Translation.Messages;

/// <summary>Reads the body of Anthropic's <c>POST /v1/messages</c> (Claude API reference, "Create a Message").</summary>
internal static class MessagesRequestReader
{
    private static readonly byte[] DefaultMark = [.. "{\"type\":\"ephemeral\"}"u8];

    /// <summary>Reads the body.</summary>
    /// <param name="reading">Keeps what is wrong.</param>
    /// <param name="root">The body.</param>
    /// <param name="needsLimit">False for a count of tokens, which has no <c>max_tokens</c>.</param>
    public static ModelRequest Read(RequestReading reading, JsonElement root, bool needsLimit = true)
    {
        var body = new RequestObject(reading, root, "");
        if (needsLimit && !body.Has("max_tokens"))
            reading.Missing("max_tokens");
        if (!body.Has("messages"))
            reading.Missing("messages");
        var request = new ModelRequest
        {
            Model = body.TakeWord("model") ?? "",
            Stream = body.TakeBool("stream")?.Value ?? false,
            MaxTokens = body.TakeCount("max_tokens"),
            Temperature = body.TakeNumber("temperature"),
            TopP = body.TakeNumber("top_p"),
            TopK = body.TakeNumber("top_k"),
            Stop = ChatRequestReader.Texts(reading, body.TakeList("stop_sequences")) is { Count: > 0 } stop
                ? new("stop_sequences", stop)
                : null,
            CacheControl = body.TakeRaw("cache_control")?.Value ?? default,
            ServiceTier = body.TakeWord("service_tier") switch
            {
                null => null,
                "auto" => new("service_tier", ServiceTier.Auto),
                "standard_only" => new("service_tier", ServiceTier.Standard),
                _ => new("service_tier", ServiceTier.Other),
            },
        };
        if (body.TakeObject("metadata") is { } metadata)
        {
            request.User = metadata.TakeText("user_id");
            metadata.RefuseRest();
        }
        ReadSystem(body, request, reading);
        ReadTools(body, request, reading);
        ReadToolChoice(body, request, reading);
        ReadThinking(body, request, reading);
        foreach (var message in body.TakeObjects("messages"))
            MessagesTurnReader.Read(message, request, reading);
        if (body.TakeWord("speed") is not (null or "standard"))
            reading.CannotSay("speed", "is not known to the provider of this model");
        body.RefuseRest();
        return request;
    }

    /// <summary>The hint on a block; every provider caches long prefixes or does not, whatever the caller says.</summary>
    public static ReadOnlyMemory<byte> CacheMark(RequestObject block)
    {
        if (block.Take("cache_control") is not { } mark)
            return default;
        return mark.ValueKind == JsonValueKind.Object
            ? System.Text.Encoding.UTF8.GetBytes(mark.GetRawText())
            : DefaultMark;
    }

    private static void ReadSystem(RequestObject body, ModelRequest request, RequestReading reading)
    {
        if (body.Take("system") is not { } system)
            return;
        var parts = MessagesTurnReader.Content(system, "system", reading);
        if (parts.Count > 0)
            request.Turns.Add(new Turn(TurnRole.System, "system", parts));
    }

    private static void ReadTools(RequestObject body, ModelRequest request, RequestReading reading)
    {
        foreach (var tool in body.TakeObjects("tools"))
        {
            if (tool.TakeWord("type") is not (null or "custom"))
            {
                reading.CannotSay(tool.Path, "is a tool that only Anthropic has");
                continue;
            }
            request.Tools.Add(
                new ToolDefinition(
                    tool.Path,
                    tool.RequireText("name"),
                    tool.PathOf("name"),
                    tool.TakeText("description")?.Value,
                    tool.TakeRaw("input_schema")?.Value ?? default,
                    tool.TakeBool("strict")?.Value
                )
                {
                    CacheControl = CacheMark(tool),
                }
            );
            // How the arguments are streamed is a matter of the provider's.
            tool.Ignore("eager_input_streaming");
            tool.RefuseRest();
        }
    }

    private static void ReadToolChoice(RequestObject body, ModelRequest request, RequestReading reading)
    {
        if (body.TakeObject("tool_choice") is not { } choice)
            return;
        ToolChoice? read = choice.TakeWord("type") switch
        {
            "auto" => new ToolChoice(ToolChoiceKind.Auto, []),
            "any" => new ToolChoice(ToolChoiceKind.Required, []),
            "none" => new ToolChoice(ToolChoiceKind.None, []),
            "tool" => new ToolChoice(ToolChoiceKind.Named, [choice.RequireText("name")]),
            _ => null,
        };
        if (read is null)
            reading.Invalid(choice.PathOf("type"), "expected auto, any, tool or none");
        else
            request.ToolChoice = new(choice.Path, read);
        if (choice.TakeBool("disable_parallel_tool_use") is { Value: true } serial)
            request.ParallelToolCalls = new(serial.Parameter, false);
        choice.RefuseRest();
    }

    private static void ReadThinking(RequestObject body, ModelRequest request, RequestReading reading)
    {
        var path = "thinking";
        long? budget = null;
        var isAdaptive = false;
        if (body.TakeObject("thinking") is { } thinking)
        {
            switch (thinking.TakeWord("type"))
            {
                case "enabled":
                    budget = thinking.TakeCount("budget_tokens")?.Value;
                    break;
                case "adaptive":
                    isAdaptive = true;
                    break;
                case "disabled":
                    break;
                default:
                    reading.CannotSay(thinking.PathOf("type"), "is not known to the provider of this model");
                    break;
            }
            if (thinking.TakeWord("display") is not (null or "summarized"))
                reading.CannotSay(thinking.PathOf("display"), "is not known to the provider of this model");
            thinking.RefuseRest();
        }
        string? effort = null;
        if (body.TakeObject("output_config") is { } config)
        {
            effort = config.TakeWord("effort");
            if (effort is not null)
                path = config.PathOf("effort");
            ReadFormat(config, request, reading);
            config.RefuseRest();
        }
        if (effort is not null || budget is not null || isAdaptive)
            request.Reasoning = new(path, new Reasoning(effort, budget, isAdaptive));
    }

    private static void ReadFormat(RequestObject config, ModelRequest request, RequestReading reading)
    {
        if (config.TakeObject("format") is not { } format)
            return;
        if (format.TakeWord("type") != "json_schema")
            reading.CannotSay(format.PathOf("type"), "is not known to the provider of this model");
        else if (format.TakeRaw("schema") is { } schema)
            request.Format = new(format.Path, new ResponseFormat(null, null, schema.Value, Strict: true));
        else
            reading.Missing(format.PathOf("schema"));
        format.RefuseRest();
    }
}
