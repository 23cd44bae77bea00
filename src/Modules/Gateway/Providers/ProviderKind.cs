using System.ComponentModel;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>What stands at a provider's address: decides the wires that it speaks, its paths, and how it takes its credential.</summary>
internal enum ProviderKind
{
    [Description("Anything that speaks OpenAI's chat completions: most servers and most clouds.")]
    OpenAiCompatible,

    [Description("OpenAI's own API, responses included.")]
    OpenAi,

    [Description("OpenRouter.")]
    OpenRouter,

    [Description("Anthropic's API: messages.")]
    Anthropic,

    [Description("Azure OpenAI: a path per deployment, an api-version, the key in `api-key`.")]
    AzureOpenAi,

    [Description("Ollama, through its OpenAI-compatible routes.")]
    Ollama,

    [Description("vLLM.")]
    Vllm,

    [Description("The model that is built in, for trying things out.")]
    Simulator,
}

/// <summary>What follows from a provider's kind.</summary>
internal static class ProviderKinds
{
    private static readonly Operation[] ChatOnly =
    [
        Operation.ChatCompletions,
        Operation.Embeddings,
        Operation.Completions,
        Operation.Moderations,
        Operation.Speech,
        Operation.Transcriptions,
        Operation.AudioTranslations,
        Operation.ImageGenerations,
        Operation.ImageEdits,
        Operation.ImageVariations,
    ];

    private static readonly Operation[] OpenAi = [.. ChatOnly, Operation.Responses];

    // Azure OpenAI's REST reference has no paths for these; its filters take the place of moderations.
    private static readonly Operation[] Azure = [.. OpenAi.Except([Operation.Moderations, Operation.ImageVariations])];

    private static readonly Operation[] Anthropic = [Operation.Messages, Operation.CountTokens];

    /// <summary>Its name in settings, records and the API.</summary>
    public static string NameOf(ProviderKind kind) =>
        kind switch
        {
            ProviderKind.OpenAiCompatible => "openai-compatible",
            ProviderKind.OpenAi => "openai",
            ProviderKind.OpenRouter => "openrouter",
            ProviderKind.Anthropic => "anthropic",
            ProviderKind.AzureOpenAi => "azure-openai",
            ProviderKind.Ollama => "ollama",
            ProviderKind.Vllm => "vllm",
            ProviderKind.Simulator => "simulator",
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind."),
        };

    /// <summary>Every name.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetValues<ProviderKind>().Select(NameOf)];

    /// <summary>The kind of this name, or null.</summary>
    public static ProviderKind? Find(string name)
    {
        foreach (var kind in Enum.GetValues<ProviderKind>())
        {
            if (NameOf(kind).Equals(name, StringComparison.OrdinalIgnoreCase))
                return kind;
        }
        return null;
    }

    /// <summary>Where its API is unless the settings say otherwise; null where they must.</summary>
    public static string? DefaultBaseUrl(ProviderKind kind) =>
        kind switch
        {
            ProviderKind.OpenAi => "https://api.openai.com/v1",
            ProviderKind.OpenRouter => "https://openrouter.ai/api/v1",
            ProviderKind.Anthropic => "https://api.anthropic.com/v1",
            ProviderKind.Ollama => "http://127.0.0.1:11434/v1",
            ProviderKind.Simulator => "http://simulator.invalid/v1",
            _ => null,
        };

    /// <summary>Whether it takes the operation as it is, without translation.</summary>
    public static bool Speaks(ProviderKind kind, Operation operation) =>
        (
            kind switch
            {
                ProviderKind.Anthropic => Anthropic,
                ProviderKind.AzureOpenAi => Azure,
                ProviderKind.OpenAi or ProviderKind.Vllm => OpenAi,
                _ => ChatOnly,
            }
        ).Contains(operation);

    /// <summary>The operation to translate to where it does not speak the caller's; null where there is no way.</summary>
    public static Operation? Translated(ProviderKind kind, Operation operation) =>
        operation is Operation.ChatCompletions or Operation.Responses or Operation.Messages
            ? kind == ProviderKind.Anthropic
                ? Operation.Messages
                : Operation.ChatCompletions
            : null;
}
