using System.Text.Json;
using Verbatim.Tests.Upstream.OpenAi;

namespace Verbatim.Tests.Upstream.Responses;

/// <summary>
/// Refuses what OpenAI refuses in a request for a response, so that a wrong translation from another wire is caught.
/// </summary>
internal static class ResponseChecks
{
    private const int LeastOutput = 16;

    /// <param name="json">The request.</param>
    /// <param name="previousCalls">Calls of the response before that still lack an output.</param>
    /// <exception cref="InvalidRequestException">The request is wrong.</exception>
    public static void Check(JsonElement json, IReadOnlyCollection<string> previousCalls)
    {
        var request = new OpenAiCheck("", json);
        request.Required("model").Text();
        CheckFields(request);
        foreach (var tool in request.Optional("tools")?.Items() ?? [])
            CheckTool(tool);
        CheckChoice(request);
        if (request.Optional("text")?.Optional("format") is { } format)
            CheckFormat(format);
        if (request.Optional("input") is { IsText: false } input)
            CheckInput(input, previousCalls);
        else if (previousCalls.Count > 0)
            throw NoOutput(previousCalls.First());
        if (
            request.Optional("input") is null
            && request.Optional("previous_response_id") is null
            && request.Optional("prompt") is null
            && request.Optional("conversation") is null
        )
        {
            throw new InvalidRequestException(
                "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided."
            )
            {
                Code = "missing_required_parameter",
            };
        }
    }

    private static void CheckFields(OpenAiCheck request)
    {
        request.Only([
            "background",
            "context_management",
            "conversation",
            "include",
            "input",
            "instructions",
            "max_output_tokens",
            "max_tool_calls",
            "metadata",
            "model",
            "moderation",
            "parallel_tool_calls",
            "previous_response_id",
            "prompt",
            "prompt_cache_key",
            "prompt_cache_options",
            "prompt_cache_retention",
            "reasoning",
            "safety_identifier",
            "service_tier",
            "store",
            "stream",
            "stream_options",
            "temperature",
            "text",
            "tool_choice",
            "tools",
            "top_logprobs",
            "top_p",
            "truncation",
            "user",
            "x_upstream",
        ]);
        request.Optional("stream")?.Flag();
        request.Optional("background")?.Flag();
        request.Optional("store")?.Flag();
        request.Optional("parallel_tool_calls")?.Flag();
        request.Optional("temperature")?.Number(0, 2);
        request.Optional("top_p")?.Number(0, 1);
        request.Optional("max_output_tokens")?.Integer(LeastOutput);
        request.Optional("previous_response_id")?.Text();
        request.Optional("truncation")?.OneOf("auto", "disabled");
        request.Optional("service_tier")?.OneOf("auto", "default", "flex", "scale", "priority");
        request.Optional("reasoning")?.Optional("effort")?.OneOf("none", "minimal", "low", "medium", "high", "xhigh");
        request.Optional("reasoning")?.Optional("summary")?.OneOf("auto", "concise", "detailed");
        request.Optional("metadata")?.Object();
    }

    private static void CheckTool(OpenAiCheck tool)
    {
        if (tool.Required("type").Text() is not "function")
            return;
        tool.Required("name").Text();
        tool.Optional("parameters")?.Object();
        tool.Optional("strict")?.Flag();
        tool.Only("type", "name", "description", "parameters", "strict", "defer_loading", "allowed_callers");
    }

    private static void CheckChoice(OpenAiCheck request)
    {
        if (request.Optional("tool_choice") is not { } choice)
            return;
        if (choice.IsText)
            choice.OneOf("none", "auto", "required");
        else if (choice.Required("type").Text() is "function")
            choice.Required("name").Text();
    }

    private static void CheckFormat(OpenAiCheck format)
    {
        if (format.Required("type").OneOf("text", "json_schema", "json_object") is not "json_schema")
            return;
        format.Required("name").Text();
        format.Required("schema").Object();
        format.Only("type", "name", "schema", "strict", "description");
    }

    private static void CheckInput(OpenAiCheck input, IReadOnlyCollection<string> previousCalls)
    {
        var open = new HashSet<string>(previousCalls, StringComparer.Ordinal);
        foreach (var item in input.Items())
        {
            var type = item.Optional("type")?.Text() ?? "message";
            switch (type)
            {
                case "message":
                    CheckMessage(item);
                    break;
                case "function_call":
                    item.Required("arguments").Text();
                    item.Required("name").Text();
                    open.Add(item.Required("call_id").Text());
                    break;
                case "function_call_output":
                    item.Required("output");
                    var call = item.Required("call_id").Text();
                    if (!open.Remove(call))
                    {
                        throw new InvalidRequestException(
                            $"No tool call found for function call output with call_id {call}."
                        )
                        {
                            Field = "input",
                        };
                    }

                    break;
                default:
                    item.Required("type")
                        .OneOf(
                            "message",
                            "function_call",
                            "function_call_output",
                            "reasoning",
                            "item_reference",
                            "custom_tool_call",
                            "custom_tool_call_output",
                            "web_search_call",
                            "file_search_call",
                            "image_generation_call",
                            "compaction"
                        );
                    break;
            }
        }

        if (open.Count > 0)
            throw NoOutput(open.First());
    }

    private static void CheckMessage(OpenAiCheck message)
    {
        var role = message.Required("role").OneOf("assistant", "system", "developer", "user");
        message.Only("type", "role", "content", "id", "status", "phase");
        if (message.Required("content") is not { IsText: false } content)
            return;
        foreach (var part in content.Items())
        {
            var type = role is "assistant"
                ? part.Required("type").OneOf("output_text", "refusal")
                : part.Required("type").OneOf("input_text", "input_image", "input_file", "input_audio");
            switch (type)
            {
                case "input_text":
                case "output_text":
                    part.Required("text").Text();
                    break;
                case "refusal":
                    part.Required("refusal").Text();
                    break;
                case "input_image":
                    // A text here, where chat completions have an object.
                    part.Optional("image_url")?.Text();
                    part.Optional("detail")?.OneOf("low", "high", "auto", "original");
                    part.Only("type", "image_url", "file_id", "detail");
                    break;
                default:
                    break;
            }
        }
    }

    private static InvalidRequestException NoOutput(string call) =>
        new($"No tool output found for function call {call}.") { Field = "input" };
}
