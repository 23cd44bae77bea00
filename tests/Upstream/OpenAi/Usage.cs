using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>The usage object of a completion.</summary>
internal sealed record Usage(int Prompt, int Completion, int Total, int Cached, int Reasoning, bool HasDetails)
{
    /// <summary>What every prompt costs: the provider does not count, and a test can rely on it.</summary>
    public const int PromptTokens = 19;

    private string? Given { get; init; }

    public static Usage Of(CommandSet commands, int completionTokens) =>
        commands.Usage switch
        {
            UsageKind.Zero => new Usage(0, 0, 0, 0, 0, HasDetails: true),
            // The total is not the sum, and more was cached and reasoned than there was.
            UsageKind.Wrong => new Usage(1_000_000, -5, 7, 2_000_000, 3_000_000, HasDetails: true),
            UsageKind.Details => new Usage(2006, 300, 2306, Cached: 1920, Reasoning: 192, HasDetails: true),
            UsageKind.Minimal => Honest(completionTokens) with { HasDetails = false },
            UsageKind.Given => Honest(completionTokens) with { Given = commands.UsageJson },
            UsageKind.Honest or UsageKind.None or UsageKind.Null => Honest(completionTokens),
            _ => throw new InvalidOperationException($"no such usage: {commands.Usage}"),
        };

    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WritePropertyName("usage"u8);
        if (Given is not null)
        {
            writer.WriteRawValue(Given);
            return;
        }

        writer.WriteStartObject();
        writer.WriteNumber("prompt_tokens"u8, Prompt);
        writer.WriteNumber("completion_tokens"u8, Completion);
        writer.WriteNumber("total_tokens"u8, Total);
        if (HasDetails)
        {
            writer.WriteStartObject("prompt_tokens_details"u8);
            writer.WriteNumber("cached_tokens"u8, Cached);
            writer.WriteNumber("audio_tokens"u8, 0);
            writer.WriteEndObject();
            writer.WriteStartObject("completion_tokens_details"u8);
            writer.WriteNumber("reasoning_tokens"u8, Reasoning);
            writer.WriteNumber("audio_tokens"u8, 0);
            writer.WriteNumber("accepted_prediction_tokens"u8, 0);
            writer.WriteNumber("rejected_prediction_tokens"u8, 0);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static Usage Honest(int completionTokens) =>
        new(PromptTokens, completionTokens, PromptTokens + completionTokens, 0, 0, HasDetails: true);
}
