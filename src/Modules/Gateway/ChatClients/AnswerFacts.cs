using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>What a whole answer and a chunk of a stream tell in the same words.</summary>
internal static class AnswerFacts
{
    public static string? Id(JsonElement root) => ElementText.Of(root, "id");

    public static string? Model(JsonElement root) => ElementText.Of(root, "model");

    public static DateTimeOffset? CreatedAt(JsonElement root) =>
        NumberOf(root, "created") is { } seconds and > 0 and < 253402300800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;

    /// <summary>The first choice; more are never asked for.</summary>
    public static JsonElement? Choice(JsonElement root) =>
        root.TryGetProperty("choices", out var choices)
        && choices.ValueKind == JsonValueKind.Array
        && choices.GetArrayLength() > 0
        && choices[0].ValueKind == JsonValueKind.Object
            ? choices[0]
            : null;

    public static ChatFinishReason? FinishReason(JsonElement choice) =>
        ElementText.Of(choice, "finish_reason") switch
        {
            null or "" => null,
            // The old name, before a message could call several.
            "function_call" => ChatFinishReason.ToolCalls,
            var word => new ChatFinishReason(word),
        };

    public static UsageDetails? Usage(JsonElement root)
    {
        if (!root.TryGetProperty("usage", out var usage) || usage.ValueKind != JsonValueKind.Object)
            return null;
        var details = new UsageDetails
        {
            InputTokenCount = NumberOf(usage, "prompt_tokens"),
            OutputTokenCount = NumberOf(usage, "completion_tokens"),
            TotalTokenCount = NumberOf(usage, "total_tokens"),
        };
        if (usage.TryGetProperty("prompt_tokens_details", out var input))
        {
            details.CachedInputTokenCount = NumberOf(input, "cached_tokens");
            if (NumberOf(input, "cache_write_tokens") is { } written)
                details.AdditionalCounts = new AdditionalPropertiesDictionary<long> { ["cacheWriteTokens"] = written };
        }
        if (usage.TryGetProperty("completion_tokens_details", out var output))
            details.ReasoningTokenCount = NumberOf(output, "reasoning_tokens");
        return details;
    }

    private static long? NumberOf(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object
        && parent.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt64(out var number)
            ? number
            : null;
}
