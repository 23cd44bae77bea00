using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.Translation.Chat;

namespace Verbatim.Modules.Gateway.Wire.Translation.Responses;

/// <summary>Reads the body of <c>POST /v1/responses</c> (OpenAI's API reference, "Create a model response").</summary>
internal static class ResponsesRequestReader
{
    public static ModelRequest Read(RequestReading reading, JsonElement root)
    {
        var body = new RequestObject(reading, root, "");
        var request = new ModelRequest();
        ResponsesEcho.Read(body, request.Echo);
        request.Model = body.TakeWord("model") ?? "";
        request.Stream = body.TakeBool("stream")?.Value ?? false;
        request.MaxTokens = body.TakeCount("max_output_tokens");
        request.Temperature = body.TakeNumber("temperature");
        request.TopP = body.TakeNumber("top_p");
        request.PromptCacheKey = body.TakeText("prompt_cache_key");
        request.ParallelToolCalls = body.TakeBool("parallel_tool_calls");
        request.ServiceTier = ChatRequestReader.Tier(body);
        var user = body.TakeText("user");
        request.User = body.TakeText("safety_identifier") ?? user;
        // Both are repeated in the answer, and kept or not kept by the gateway itself: the provider has no part in it.
        body.Ignore("metadata", "store");
        ReadLogprobs(body, request, reading);
        ReadText(body, request, reading);
        ReadReasoning(body, request);
        ReadTools(body, request, reading);
        ReadToolChoice(body, request, reading);
        if (body.TakeObject("stream_options") is { } options)
        {
            options.Ignore("include_obfuscation");
            options.RefuseRest();
        }
        if (body.TakeWord("truncation") is not (null or "disabled"))
            reading.CannotSay("truncation", "is not known to the provider of this model");
        if (body.TakeBool("background") is { Value: true })
            reading.CannotSay("background", "is not known to the provider of this model");
        if (body.TakeText("instructions") is { } instructions)
            request.Turns.Add(
                new Turn(TurnRole.System, "instructions", [new TextPart("instructions", instructions.Value)])
            );
        ResponsesInputReader.Read(body, request, reading);
        body.RefuseRest();
        return request;
    }

    private static void ReadLogprobs(RequestObject body, ModelRequest request, RequestReading reading)
    {
        var top = body.TakeCount("top_logprobs");
        if (top is { Value: > 0 })
            request.Logprobs = new("top_logprobs", (int)Math.Min(top.Value.Value, int.MaxValue));
        foreach (var (element, path) in body.TakeList("include"))
        {
            switch (element.ValueKind == JsonValueKind.String ? new JsonText(reading.Raw(element)).ToString() : null)
            {
                // The one is always there, the other is what the caller sent.
                case "reasoning.encrypted_content" or "message.input_image.image_url":
                    break;
                case "message.output_text.logprobs":
                    request.Logprobs ??= new(path, 0);
                    break;
                default:
                    reading.CannotSay(path, "is not known to the provider of this model");
                    break;
            }
        }
    }

    private static void ReadText(RequestObject body, ModelRequest request, RequestReading reading)
    {
        if (body.TakeObject("text") is not { } text)
            return;
        request.Verbosity = text.TakeText("verbosity");
        if (text.TakeObject("format") is { } format)
        {
            switch (format.TakeWord("type"))
            {
                case "text":
                    break;
                case "json_object":
                    request.Format = new(format.Path, new ResponseFormat(null, null, default, null));
                    break;
                case "json_schema":
                    request.Format = new(format.Path, ChatRequestReader.Schema(format));
                    break;
                default:
                    reading.CannotSay(format.Path, "is of a type that the provider of this model does not know");
                    break;
            }
            format.RefuseRest();
        }
        text.RefuseRest();
    }

    private static void ReadReasoning(RequestObject body, ModelRequest request)
    {
        if (body.TakeObject("reasoning") is not { } reasoning)
            return;
        // generate_summary is the old name of summary.
        var summary = reasoning.TakeText("generate_summary")?.Value;
        summary = reasoning.TakeText("summary")?.Value ?? summary;
        var effort = reasoning.TakeWord("effort");
        if (effort is not null || summary is not null)
            request.Reasoning = new(reasoning.PathOf("effort"), new Reasoning(effort, Budget: null, Summary: summary));
        reasoning.RefuseRest();
    }

    private static void ReadTools(RequestObject body, ModelRequest request, RequestReading reading)
    {
        foreach (var tool in body.TakeObjects("tools"))
        {
            if (tool.TakeWord("type") != "function")
            {
                reading.CannotSay(
                    tool.Path,
                    "is not a function, and other tools are not known to the provider of this model"
                );
                continue;
            }
            request.Tools.Add(ChatRequestReader.Function(tool, tool.Path, default));
            tool.RefuseRest();
        }
    }

    private static void ReadToolChoice(RequestObject body, ModelRequest request, RequestReading reading)
    {
        if (body.Take("tool_choice") is not { } given)
            return;
        if (given.ValueKind == JsonValueKind.String)
        {
            request.ToolChoice = ChatRequestReader.Choice("tool_choice", given, reading);
            return;
        }
        if (given.ValueKind != JsonValueKind.Object)
        {
            reading.WrongType("tool_choice", "a string or an object", given);
            return;
        }
        var choice = new RequestObject(reading, given, "tool_choice");
        switch (choice.TakeWord("type"))
        {
            case "function":
                request.ToolChoice = new(
                    choice.Path,
                    new ToolChoice(ToolChoiceKind.Named, [choice.RequireText("name")])
                );
                break;
            case "allowed_tools":
                var names = choice.TakeObjects("tools").Where(t => t.Has("name")).Select(t => t.RequireText("name"));
                request.ToolChoice = new(
                    choice.Path,
                    new ToolChoice(ToolChoiceKind.Allowed, [.. names], choice.TakeWord("mode") == "required")
                );
                break;
            default:
                reading.CannotSay(choice.Path, "is of a type that the provider of this model does not know");
                break;
        }
    }
}
