using System.Text.Json;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>How many tokens an answer had, where its provider did not count: an estimate, to be called one.</summary>
internal static class AnswerTokens
{
    /// <summary>Estimates what a model said in a whole answer, on any wire: its texts, thoughts, and calls of tools. Never throws.</summary>
    public static long Estimate(ReadOnlySpan<byte> answer)
    {
        var tokens = 0L;
        try
        {
            var reader = new Utf8JsonReader(answer);
            var isSaid = false;
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        isSaid = IsSaid(ref reader);
                        break;
                    case JsonTokenType.String when isSaid:
                        tokens += TokenEstimate.OfText(reader.GetString()!);
                        isSaid = false;
                        break;
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        break;
                    default:
                        isSaid = false;
                        break;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What was read until there counts.
        }
        return tokens;
    }

    // Chat: content, reasoning_content, refusal, a call's name and arguments. Responses and messages: text, thinking.
    private static bool IsSaid(ref Utf8JsonReader reader) =>
        JsonNames.Is(ref reader, "content"u8)
        || JsonNames.Is(ref reader, "text"u8)
        || JsonNames.Is(ref reader, "thinking"u8)
        || JsonNames.Is(ref reader, "reasoning_content"u8)
        || JsonNames.Is(ref reader, "refusal"u8)
        || JsonNames.Is(ref reader, "arguments"u8);
}
