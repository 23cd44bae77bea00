using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.Anthropic;

/// <summary>
/// The usage of a message. Unlike OpenAI's figures, the tokens written to and read from the cache are not part of
/// <c>input_tokens</c>.
/// </summary>
internal sealed record MessageUsage(int Input, int Output, int Write5Minutes, int Write1Hour, int Read, int Thinking)
{
    /// <summary>What every prompt costs: the provider does not count, and a test can rely on it.</summary>
    public const int InputTokens = 19;

    private bool IsMinimal { get; init; }
    private bool HasThinking { get; init; }
    private string? Given { get; init; }
    private string ServiceTier { get; init; } = "standard";

    public static MessageUsage Of(CommandSet commands, int outputTokens, int thinkingTokens)
    {
        var honest = new MessageUsage(InputTokens, outputTokens, 0, 0, 0, thinkingTokens)
        {
            HasThinking = thinkingTokens > 0,
            ServiceTier = commands.ServiceTier ?? "standard",
        };
        return commands.Usage switch
        {
            UsageKind.Zero => honest with { Input = 0, Output = 0, Thinking = 0 },
            // More was thought than said.
            UsageKind.Wrong => honest with { Input = 1_000_000, Output = -5, Read = 2_000_000, Thinking = 3_000_000 },
            // The same 2006 tokens of input as on OpenAI's wire, of which a part is counted beside.
            UsageKind.Details => new MessageUsage(86, 300, 120, 300, 1500, Thinking: 192)
            {
                HasThinking = true,
                ServiceTier = honest.ServiceTier,
            },
            UsageKind.Minimal => honest with { IsMinimal = true },
            UsageKind.Given => honest with { Given = commands.UsageJson },
            UsageKind.Honest or UsageKind.None or UsageKind.Null => honest,
            _ => throw new InvalidOperationException($"no such usage: {commands.Usage}"),
        };
    }

    /// <summary>All tokens of the prompt, wherever they are counted.</summary>
    public int TotalInput => Input + Write5Minutes + Write1Hour + Read;

    /// <summary>What a JSON answer and the first event of a stream say.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        if (WriteGiven(writer))
            return;
        writer.WriteStartObject("usage"u8);
        writer.WriteNumber("input_tokens"u8, Input);
        if (!IsMinimal)
        {
            WriteCache(writer);
            writer.WriteStartObject("cache_creation"u8);
            writer.WriteNumber("ephemeral_5m_input_tokens"u8, Write5Minutes);
            writer.WriteNumber("ephemeral_1h_input_tokens"u8, Write1Hour);
            writer.WriteEndObject();
        }

        writer.WriteNumber("output_tokens"u8, Output);
        if (!IsMinimal)
        {
            WriteThinking(writer);
            writer.WriteString("service_tier"u8, ServiceTier);
            writer.WriteString("inference_geo"u8, "not_available"u8);
        }

        writer.WriteEndObject();
    }

    /// <summary>The cumulative figures of a stream's message_delta event.</summary>
    public void WriteCumulativeTo(Utf8JsonWriter writer)
    {
        if (WriteGiven(writer))
            return;
        writer.WriteStartObject("usage"u8);
        if (!IsMinimal)
        {
            writer.WriteNumber("input_tokens"u8, Input);
            WriteCache(writer);
        }

        writer.WriteNumber("output_tokens"u8, Output);
        if (!IsMinimal)
            WriteThinking(writer);
        writer.WriteEndObject();
    }

    private bool WriteGiven(Utf8JsonWriter writer)
    {
        if (Given is null)
            return false;
        writer.WritePropertyName("usage"u8);
        writer.WriteRawValue(Given);
        return true;
    }

    private void WriteCache(Utf8JsonWriter writer)
    {
        writer.WriteNumber("cache_creation_input_tokens"u8, Write5Minutes + Write1Hour);
        writer.WriteNumber("cache_read_input_tokens"u8, Read);
    }

    private void WriteThinking(Utf8JsonWriter writer)
    {
        if (!HasThinking)
            return;
        writer.WriteStartObject("output_tokens_details"u8);
        writer.WriteNumber("thinking_tokens"u8, Thinking);
        writer.WriteEndObject();
    }
}
