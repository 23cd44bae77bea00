using System.Text.Json.Nodes;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>
/// Azure's answers: fields in the order of the alphabet, and what its content filter found ("Content filtering" of
/// Azure OpenAI's reference).
/// </summary>
internal static class AzureShape
{
    /// <summary>What comes before the first event of a stream: no choice, but what the prompt was checked for.</summary>
    public static JsonObject First { get; } =
        new()
        {
            ["choices"] = new JsonArray(),
            ["created"] = 0,
            ["id"] = "",
            ["model"] = "",
            ["object"] = "",
            ["prompt_filter_results"] = PromptResults(),
        };

    public static JsonObject Of(JsonObject root)
    {
        root.Remove("service_tier");
        foreach (var choice in Shapes.ChoicesOf(root))
        {
            // An event without text was not checked.
            var isChecked = choice["message"] is not null || choice["delta"]?["content"] is JsonValue;
            choice["content_filter_results"] = isChecked ? Results(isPrompt: false) : new JsonObject();
        }

        var sorted = Sorted(root);
        if (root["object"]?.GetValue<string>() is not "chat.completion")
            return sorted;
        sorted.Insert(sorted.IndexOf("object") + 1, "prompt_filter_results", PromptResults());
        return sorted;
    }

    /// <summary>What was found in a text: nothing, or violence.</summary>
    public static JsonObject Results(bool isPrompt, bool isFiltered = false)
    {
        var results = new JsonObject { ["hate"] = Severity(false) };
        if (isPrompt)
            results["jailbreak"] = new JsonObject { ["filtered"] = false, ["detected"] = false };
        else
        {
            results["protected_material_code"] = new JsonObject { ["filtered"] = false, ["detected"] = false };
            results["protected_material_text"] = new JsonObject { ["filtered"] = false, ["detected"] = false };
        }

        results["self_harm"] = Severity(false);
        results["sexual"] = Severity(false);
        results["violence"] = Severity(isFiltered);
        return results;
    }

    private static JsonArray PromptResults() =>
        [new JsonObject { ["prompt_index"] = 0, ["content_filter_results"] = Results(isPrompt: true) }];

    private static JsonObject Severity(bool isFiltered) =>
        new() { ["filtered"] = isFiltered, ["severity"] = isFiltered ? "medium" : "safe" };

    private static JsonObject Sorted(JsonObject json)
    {
        var sorted = new JsonObject();
        foreach (var (name, value) in json.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            sorted[name] = value switch
            {
                JsonObject inner => Sorted(inner),
                JsonArray array => new JsonArray([
                    .. array.Select(static item => item is JsonObject inner ? Sorted(inner) : item?.DeepClone()),
                ]),
                _ => value?.DeepClone(),
            };
        }

        return sorted;
    }
}
