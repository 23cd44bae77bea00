using System.Text.Json;
using System.Text.RegularExpressions;

namespace Verbatim.Tests.Upstream.Anthropic;

/// <summary>
/// Refuses what Anthropic refuses, in its words where they are known from its answers, so that a wrong translation
/// from another wire is caught. Fields that the API does not have are among it.
/// </summary>
internal static partial class RequestChecks
{
    private const int MostCacheBreakpoints = 4;
    private const int LeastThinkingBudget = 1024;

    /// <exception cref="InvalidRequestException">The request is wrong.</exception>
    public static void Check(JsonElement json, bool isCount)
    {
        var request = new JsonCheck("", json);
        if (request.Required("model").Text().Length is 0)
            throw request.Wrong("model", "String should have at least 1 character");
        CheckFields(request, isCount);
        CheckTools(request);
        CheckThinking(request);
        CheckOutput(request);
        ConversationChecks.Check(request.Required("messages"));
        var breakpoints = CountBreakpoints(json);
        if (breakpoints > MostCacheBreakpoints)
        {
            throw new InvalidRequestException(
                $"A maximum of {MostCacheBreakpoints} blocks with cache_control may be provided. Found {breakpoints}."
            );
        }
    }

    private static void CheckFields(JsonCheck request, bool isCount)
    {
        if (isCount)
        {
            request.Only([
                "model",
                "messages",
                "system",
                "tools",
                "tool_choice",
                "thinking",
                "context_management",
                "mcp_servers",
                "output_config",
                "speed",
                "cache_control",
                "user_profile_id",
                "workspace_id",
                "x_upstream",
            ]);
        }
        else
        {
            request.Required("max_tokens").Integer(least: 1);
            request.Only([
                "model",
                "messages",
                "max_tokens",
                "system",
                "stream",
                "stop_sequences",
                "temperature",
                "top_p",
                "top_k",
                "metadata",
                "tools",
                "tool_choice",
                "thinking",
                "service_tier",
                "container",
                "context_management",
                "mcp_servers",
                "output_config",
                "inference_geo",
                "speed",
                "cache_control",
                "diagnostics",
                "user_profile_id",
                "workspace_id",
                "thread",
                "x_upstream",
            ]);
            // Conversations are kept by none of the tests' providers: Verbatim must have refused them.
            if (request.Optional("thread") is not null)
                throw new InvalidRequestException("thread: Extra inputs are not permitted");
        }

        request.Optional("stream")?.Flag();
        request.Optional("temperature")?.Number(0, 1);
        request.Optional("top_p")?.Number(0, 1);
        request.Optional("top_k")?.Integer(least: 0);
        request.Optional("service_tier")?.OneOf("auto", "standard_only");
        request.Optional("metadata")?.Object().Only("user_id");
        foreach (var sequence in request.Optional("stop_sequences")?.Items() ?? [])
        {
            if (string.IsNullOrWhiteSpace(sequence.Text()))
            {
                throw new InvalidRequestException("stop_sequences: each stop sequence must contain non-whitespace");
            }
        }

        if (request.Optional("system") is { IsText: false } system)
        {
            foreach (var block in system.Items())
            {
                block.Tag("text");
                ConversationChecks.CheckText(block, "system");
            }
        }
    }

    private static void CheckTools(JsonCheck request)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tool in request.Optional("tools")?.Items() ?? [])
        {
            if (!names.Add(CheckTool(tool.Object())))
                throw new InvalidRequestException("tools: Tool names must be unique.");
        }

        if (request.Optional("tool_choice") is not { } choice)
            return;
        var kind = choice.Tag("any", "auto", "none", "tool");
        if (names.Count is 0)
            throw new InvalidRequestException("tool_choice: may only be specified while providing tools.");
        if (kind is not "tool")
        {
            choice.As(kind).Only(kind is "none" ? ["type"] : ["type", "disable_parallel_tool_use"]);
            return;
        }

        choice.As(kind).Only("type", "name", "disable_parallel_tool_use");
        var name = choice.As(kind).Required("name").Text();
        if (!names.Contains(name))
            throw new InvalidRequestException($"Tool '{name}' not found in provided tools");
    }

    private static string CheckTool(JsonCheck tool)
    {
        var type = tool.Optional("type")?.Text() ?? "custom";
        // Anthropic's own tools are named with the date of their version.
        if (DatedTypePattern().IsMatch(type))
            return tool.Optional("name")?.Text() ?? type;
        if (type is not "custom")
            tool.Tag("bash_20250124", "custom", "text_editor_20250728", "web_search_20250305");

        var custom = tool.As("custom");
        var name = custom.Required("name");
        if (!NamePattern().IsMatch(name.Text()))
            throw name.Wrong("String should match pattern '^[a-zA-Z0-9_-]{1,128}$'");
        var schema = custom.Required("input_schema").Object();
        schema.Required("type").OneOf("object");
        custom.Only([
            "name",
            "type",
            "description",
            "input_schema",
            "cache_control",
            "strict",
            "defer_loading",
            "allowed_callers",
            "input_examples",
            "eager_input_streaming",
        ]);
        return name.Text();
    }

    private static void CheckThinking(JsonCheck request)
    {
        if (request.Optional("thinking") is not { } thinking)
            return;
        var kind = thinking.Tag("adaptive", "between_tools", "disabled", "enabled");
        if (kind is not "enabled")
            return;
        var budget = thinking.As(kind).Required("budget_tokens").Integer(LeastThinkingBudget);
        if (request.Optional("max_tokens")?.Integer(1) <= budget)
        {
            throw new InvalidRequestException(
                "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
                    + "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
            );
        }

        if (request.Optional("temperature") is { } temperature && temperature.Number(0, 1) < 1)
        {
            throw new InvalidRequestException(
                "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at "
                    + "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking"
            );
        }

        if (request.Optional("tool_choice")?.Tag("any", "auto", "none", "tool") is "any" or "tool")
            throw new InvalidRequestException("Thinking may not be enabled when tool_choice forces tool use.");
    }

    private static void CheckOutput(JsonCheck request)
    {
        if (request.Optional("output_config") is not { } output)
            return;
        output.Object().Only("effort", "format", "task_budget");
        output.Optional("effort")?.OneOf("low", "medium", "high", "xhigh", "max");
        if (output.Optional("format") is not { } format)
            return;
        format.Tag("json_schema");
        format.Only("type", "schema");
        CheckSchema(format.Required("schema").Object());
    }

    private static void CheckSchema(JsonCheck schema)
    {
        // Structured outputs take closed objects only, however deep.
        if (
            schema.Optional("type") is { IsText: true } type
            && type.Text() is "object"
            && schema.Optional("additionalProperties")?.Kind is not JsonValueKind.False
        )
        {
            throw schema.Wrong("For 'object' type, 'additionalProperties' must be explicitly set to false");
        }

        if (schema.Optional("properties") is { IsObject: true } properties)
        {
            foreach (var property in properties.Json.EnumerateObject())
            {
                if (property.Value.ValueKind is JsonValueKind.Object)
                    CheckSchema(new JsonCheck($"{properties.Path}.{property.Name}", property.Value));
            }
        }

        if (schema.Optional("items") is { IsObject: true } items)
            CheckSchema(items);
    }

    private static int CountBreakpoints(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.Array => json.EnumerateArray().Sum(CountBreakpoints),
            JsonValueKind.Object => json.EnumerateObject()
                .Sum(static property =>
                    property.Name switch
                    {
                        "cache_control" => property.Value.ValueKind is JsonValueKind.Object ? 1 : 0,
                        // What a model or a schema says is no request.
                        "input" or "input_schema" or "x_upstream" => 0,
                        _ => CountBreakpoints(property.Value),
                    }
                ),
            _ => 0,
        };

    [GeneratedRegex("_20[0-9]{6}$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DatedTypePattern();

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,128}$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NamePattern();
}
