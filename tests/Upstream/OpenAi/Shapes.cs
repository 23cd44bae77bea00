using System.Text.Json;
using System.Text.Json.Nodes;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>
/// Makes of OpenAI's chat completion that of a provider which speaks its wire in its own way, as recorded from them.
/// Each takes the JSON of a whole answer or of one event.
/// </summary>
internal static class Shapes
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JsonBody.Encoder };

    /// <summary>The bytes as this provider would send them: all but OpenAI in one line.</summary>
    public static byte[] Of(ReadOnlySpan<byte> json, CommandSet commands)
    {
        var isOther = commands.As is not Provider.OpenAi;
        if (!isOther && !commands.NoIds)
            return json.ToArray();
        var root = JsonNode.Parse(json)!.AsObject();
        if (commands.NoIds)
            RemoveIds(root);
        root = commands.As switch
        {
            Provider.Azure => AzureShape.Of(root),
            Provider.OpenRouter => OpenRouter(root),
            Provider.VLlm => VLlm(root),
            Provider.Ollama => Ollama(root),
            _ => root,
        };
        return Bytes(root);
    }

    public static byte[] Bytes(JsonObject json) => JsonSerializer.SerializeToUtf8Bytes(json, Options);

    /// <summary>The choices of an answer, or of an event that has some.</summary>
    public static IEnumerable<JsonObject> ChoicesOf(JsonObject root) =>
        root["choices"] is JsonArray choices ? choices.OfType<JsonObject>() : [];

    private static void RemoveIds(JsonObject root)
    {
        root.Remove("id");
        foreach (var message in ChoicesOf(root).Select(MessageOf))
        {
            foreach (var call in (message["tool_calls"] as JsonArray ?? []).OfType<JsonObject>())
                call.Remove("id");
        }
    }

    /// <summary>Names its upstream, and what a call costs (OpenRouter's API reference, "Responses").</summary>
    private static JsonObject OpenRouter(JsonObject root)
    {
        root.Remove("service_tier");
        root.Remove("obfuscation");
        root.Insert(1, "provider", "Fake");
        if (root["id"]?.GetValue<string>() is { } id)
            root["id"] = id.Replace("chatcmpl-", "gen-", StringComparison.Ordinal);
        foreach (var choice in ChoicesOf(root))
        {
            choice["native_finish_reason"] = choice["finish_reason"]?.DeepClone();
            if (choice["message"] is JsonObject message && !message.ContainsKey("reasoning"))
                message["reasoning"] = null;
            if (choice["delta"] is JsonObject delta && !delta.ContainsKey("role"))
                delta.Insert(0, "role", "assistant");
        }

        if (root["usage"] is JsonObject usage)
        {
            usage["cost"] = 0.000168;
            usage["is_byok"] = false;
            usage["cost_details"] = new JsonObject { ["upstream_inference_cost"] = null };
        }
        else
        {
            root.Remove("usage");
        }

        return root;
    }

    /// <summary>Fields of its own, most of them null (vLLM's entrypoints/openai/protocol.py).</summary>
    private static JsonObject VLlm(JsonObject root)
    {
        root.Remove("obfuscation");
        var isEvent = root["object"]?.GetValue<string>() is "chat.completion.chunk";
        if (isEvent)
        {
            root.Remove("service_tier");
            root.Remove("system_fingerprint");
        }
        else
        {
            root["service_tier"] = null;
            root["system_fingerprint"] = null;
            root["prompt_logprobs"] = null;
            root["prompt_token_ids"] = null;
            root["kv_transfer_params"] = null;
        }

        foreach (var choice in ChoicesOf(root))
        {
            if (!isEvent || choice["finish_reason"] is not null)
                choice["stop_reason"] = null;
            choice["token_ids"] = null;
            var message = MessageOf(choice);
            if (isEvent)
            {
                message.Remove("refusal");
                continue;
            }

            message["annotations"] = null;
            message["audio"] = message["audio"]?.DeepClone();
            message["function_call"] = null;
            message["tool_calls"] = message["tool_calls"]?.DeepClone() ?? new JsonArray();
            message["reasoning_content"] = message["reasoning_content"]?.DeepClone();
        }

        if (root["usage"] is JsonObject usage)
        {
            usage.Remove("completion_tokens_details");
            usage["prompt_tokens_details"] = null;
        }

        return root;
    }

    /// <summary>The least that is said, the role in every event (Ollama's openai/openai.go).</summary>
    private static JsonObject Ollama(JsonObject root)
    {
        root.Remove("obfuscation");
        root.Remove("service_tier");
        root["system_fingerprint"] = "fp_ollama";
        foreach (var choice in ChoicesOf(root))
        {
            choice.Remove("logprobs");
            var message = MessageOf(choice);
            message.Remove("refusal");
            message.Remove("annotations");
            if (choice["delta"] is JsonObject delta && !delta.ContainsKey("role"))
                delta.Insert(0, "role", "assistant");
            if (!message.ContainsKey("content"))
                message["content"] = "";
        }

        if (root["usage"] is JsonObject usage)
        {
            usage.Remove("prompt_tokens_details");
            usage.Remove("completion_tokens_details");
        }
        else
        {
            root.Remove("usage");
        }

        return root;
    }

    private static JsonObject MessageOf(JsonObject choice) =>
        (choice["message"] ?? choice["delta"]) as JsonObject ?? [];
}
