using System.Text.Json;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>
/// Refuses what OpenAI refuses in a chat completion, on the command <c>strict</c>, so that a wrong translation from
/// another wire is caught.
/// </summary>
internal static class ChatChecks
{
    /// <exception cref="InvalidRequestException">The request is wrong.</exception>
    public static void Check(JsonElement json)
    {
        var request = new OpenAiCheck("", json);
        CheckFields(request);
        foreach (var tool in request.Optional("tools")?.Items() ?? [])
            CheckTool(tool);
        CheckChoice(request);
        if (request.Optional("response_format") is { } format)
            CheckFormat(format);
        CheckMessages(request.Required("messages"));
    }

    private static void CheckFields(OpenAiCheck request)
    {
        request.Only([
            "audio",
            "frequency_penalty",
            "function_call",
            "functions",
            "logit_bias",
            "logprobs",
            "max_completion_tokens",
            "max_tokens",
            "messages",
            "metadata",
            "modalities",
            "model",
            "n",
            "parallel_tool_calls",
            "prediction",
            "presence_penalty",
            "prompt_cache_key",
            "prompt_cache_retention",
            "reasoning_effort",
            "response_format",
            "safety_identifier",
            "seed",
            "service_tier",
            "stop",
            "store",
            "stream",
            "stream_options",
            "temperature",
            "tool_choice",
            "tools",
            "top_logprobs",
            "top_p",
            "user",
            "verbosity",
            "web_search_options",
            "x_upstream",
        ]);
        request.Optional("stream")?.Flag();
        request.Optional("logprobs")?.Flag();
        request.Optional("temperature")?.Number(0, 2);
        request.Optional("top_p")?.Number(0, 1);
        request.Optional("frequency_penalty")?.Number(-2, 2);
        request.Optional("presence_penalty")?.Number(-2, 2);
        request.Optional("n")?.Integer(least: 1);
        request.Optional("max_tokens")?.Integer(least: 1);
        request.Optional("max_completion_tokens")?.Integer(least: 1);
        request.Optional("reasoning_effort")?.OneOf("none", "minimal", "low", "medium", "high", "xhigh");
        if (request.Optional("stream_options") is { } options)
        {
            if (request.Optional("stream")?.Flag() is not true)
            {
                throw options.Wrong(
                    "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                    "invalid_value"
                );
            }

            options.Only("include_usage", "include_obfuscation");
        }

        if (request.Optional("max_tokens") is { } old && request.Optional("max_completion_tokens") is not null)
        {
            throw old.Wrong(
                "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
                "invalid_parameter_combination"
            );
        }
    }

    private static void CheckTool(OpenAiCheck tool)
    {
        if (tool.Required("type").OneOf("function", "custom") is not "function")
            return;
        tool.Only("type", "function");
        var function = tool.Required("function");
        CheckName(function.Required("name"));
        function.Optional("parameters")?.Object();
        function.Optional("strict")?.Flag();
        function.Only("name", "description", "parameters", "strict");
    }

    private static void CheckChoice(OpenAiCheck request)
    {
        if (request.Optional("tool_choice") is not { } choice)
            return;
        if (request.Optional("tools") is null)
            throw choice.Wrong(
                "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."
            );
        if (choice.IsText)
            choice.OneOf("none", "auto", "required");
        else if (choice.Required("type").OneOf("function", "allowed_tools", "custom") is "function")
            choice.Required("function").Required("name").Text();
    }

    private static void CheckFormat(OpenAiCheck format)
    {
        if (format.Required("type").OneOf("json_object", "json_schema", "text") is not "json_schema")
            return;
        format.Only("type", "json_schema");
        var schema = format.Required("json_schema");
        CheckName(schema.Required("name"));
        schema.Only("name", "description", "schema", "strict");
        if (schema.Optional("schema") is { } body && schema.Optional("strict")?.Flag() is true)
            CheckStrict(body, schema.Required("name").Text(), "()");
    }

    /// <summary>A strict schema closes its objects and requires all their properties ("Structured outputs").</summary>
    private static void CheckStrict(OpenAiCheck schema, string name, string context)
    {
        var json = schema.Object().Json;
        if (
            json.TryGetProperty("type", out var type)
            && type.ValueKind is JsonValueKind.String
            && type.ValueEquals("object")
        )
        {
            if (!json.TryGetProperty("additionalProperties", out var more) || more.ValueKind is not JsonValueKind.False)
                throw Invalid("'additionalProperties' is required to be supplied and to be false.");
            var required =
                json.TryGetProperty("required", out var list) && list.ValueKind is JsonValueKind.Array
                    ? list.EnumerateArray().Select(static item => item.GetString()).ToList()
                    : [];
            foreach (var property in schema.Optional("properties")?.Object().Json.EnumerateObject() ?? default)
            {
                if (!required.Contains(property.Name, StringComparer.Ordinal))
                {
                    throw Invalid(
                        "'required' is required to be supplied and to be an array including every key in properties. "
                            + $"Missing '{property.Name}'."
                    );
                }

                CheckStrict(new OpenAiCheck(schema.Path, property.Value), name, $"('properties', '{property.Name}')");
            }
        }

        InvalidRequestException Invalid(string sentence) =>
            new($"Invalid schema for response_format '{name}': In context={context}, {sentence}")
            {
                Field = "response_format",
            };
    }

    private static void CheckMessages(OpenAiCheck messages)
    {
        var all = messages.Items().ToList();
        if (all.Count is 0)
        {
            throw messages.Wrong(
                "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
                "empty_array"
            );
        }

        var open = new List<string>();
        foreach (var message in all)
        {
            var role = message.Required("role").OneOf("system", "assistant", "user", "function", "tool", "developer");
            if (role is "tool")
            {
                CheckResult(message, open);
                continue;
            }

            ThrowIfOpen(open, messages);
            open = role is "assistant" ? CheckAssistant(message) : [];
            if (role is "user" or "system" or "developer")
                CheckContent(message.Required("content"), role);
        }

        ThrowIfOpen(open, messages);
    }

    private static List<string> CheckAssistant(OpenAiCheck message)
    {
        message.Only("role", "content", "refusal", "name", "audio", "tool_calls", "function_call", "annotations");
        var calls = message.Optional("tool_calls")?.Items().ToList() ?? [];
        if (message.Optional("content") is { } content)
            CheckContent(content, "assistant");
        else if (calls.Count is 0 && message.Optional("refusal") is null && message.Optional("audio") is null)
        {
            throw new InvalidRequestException($"Invalid value for 'content': expected a string, got null.")
            {
                Field = $"{message.Path}.content",
            };
        }

        if (message.Optional("tool_calls") is { } given && calls.Count is 0)
        {
            throw given.Wrong(
                $"Invalid '{given.Path}': empty array. Expected an array with minimum length 1, but got an empty array instead.",
                "empty_array"
            );
        }

        foreach (var call in calls)
        {
            if (call.Required("type").OneOf("function", "custom") is not "function")
                continue;
            call.Required("function").Required("name").Text();
            call.Required("function").Required("arguments").Text();
            call.Only("id", "type", "function");
        }

        return [.. calls.Select(static call => call.Required("id").Text())];
    }

    private static void CheckResult(OpenAiCheck message, List<string> open)
    {
        var id = message.Required("tool_call_id").Text();
        CheckContent(message.Required("content"), "tool");
        message.Only("role", "content", "tool_call_id", "name");
        if (!open.Remove(id))
        {
            throw new InvalidRequestException(
                "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                    + "'tool_calls'."
            )
            {
                Field = $"{message.Path}.role",
            };
        }
    }

    private static void ThrowIfOpen(List<string> open, OpenAiCheck messages)
    {
        if (open.Count > 0)
        {
            throw messages.Wrong(
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                    + $"'tool_call_id'. The following tool_call_ids did not have response messages: {string.Join(", ", open)}"
            );
        }
    }

    private static void CheckContent(OpenAiCheck content, string role)
    {
        if (content.IsText)
            return;
        foreach (var part in content.Items())
        {
            var type = role switch
            {
                "user" => part.Required("type").OneOf("text", "image_url", "input_audio", "file"),
                "assistant" => part.Required("type").OneOf("text", "refusal"),
                _ => part.Required("type").OneOf("text"),
            };
            switch (type)
            {
                case "text":
                    part.Required("text").Text();
                    break;
                case "image_url":
                    CheckImage(part.Required("image_url"));
                    break;
                case "input_audio":
                    part.Required("input_audio").Required("data").Text();
                    part.Required("input_audio").Required("format").OneOf("wav", "mp3");
                    break;
                case "file":
                    part.Required("file").Only("file_data", "file_id", "filename");
                    break;
                default:
                    part.Required("refusal").Text();
                    break;
            }
        }
    }

    private static void CheckImage(OpenAiCheck image)
    {
        image.Only("url", "detail");
        image.Optional("detail")?.OneOf("auto", "low", "high");
        var url = image.Required("url").Text();
        if (url.StartsWith("data:", StringComparison.Ordinal))
        {
            var comma = url.IndexOf(";base64,", StringComparison.Ordinal);
            var data = comma < 0 ? "" : url[(comma + ";base64,".Length)..];
            if (data.Length is 0 || !Convert.TryFromBase64String(data, new byte[data.Length], out _))
                throw image.Wrong("Invalid base64 image_url.", "invalid_base64");
            if (url["data:".Length..comma] is not ("image/png" or "image/jpeg" or "image/gif" or "image/webp"))
            {
                throw image.Wrong(
                    "You uploaded an unsupported image. Please make sure your image has of one the following formats: "
                        + "['png', 'jpeg', 'gif', 'webp'].",
                    "invalid_image_format"
                );
            }
        }
        else if (!Uri.TryCreate(url, UriKind.Absolute, out _))
        {
            throw image.Wrong($"Invalid 'image_url.url': '{url}' is no URL.", "invalid_image_url");
        }
    }

    private static void CheckName(OpenAiCheck name)
    {
        if (
            name.Text() is { Length: 0 or > 64 }
            || name.Text().Any(static c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))
        )
        {
            throw name.Wrong(
                $"Invalid '{name.Path}': string does not match pattern. Expected a string that matches the pattern "
                    + "'^[a-zA-Z0-9_-]+$'.",
                "invalid_value"
            );
        }
    }
}
