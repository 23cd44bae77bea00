using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>
/// The tokens that a provider counted, in the terms of the chat-completions wire. Null is "not said"; zero is a count.
/// </summary>
/// <param name="Prompt"><c>prompt_tokens</c>: all of the input, what was read from or written to a cache included.</param>
/// <param name="Completion"><c>completion_tokens</c>, reasoning included.</param>
/// <param name="Total"><c>total_tokens</c> as the provider says, even if it is not the sum.</param>
/// <param name="Cached"><c>prompt_tokens_details.cached_tokens</c>, or DeepSeek's <c>prompt_cache_hit_tokens</c>.</param>
/// <param name="Reasoning"><c>completion_tokens_details.reasoning_tokens</c>.</param>
/// <param name="CacheWritten">Of the input, what was written to a cache: Anthropic's <c>cache_creation_input_tokens</c>.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TokenUsage(
    long? Prompt,
    long? Completion,
    long? Total,
    long? Cached,
    long? Reasoning,
    long? CacheWritten = null
)
{
    /// <summary>Reads a usage object of the chat-completions wire.</summary>
    /// <returns>False when it is not a JSON object; fields that are no counts are taken as not said.</returns>
    public static bool TryRead(ReadOnlySpan<byte> json, out TokenUsage usage)
    {
        usage = default;
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            usage = ReadUsage(ref reader);
            return true;
        }
        catch (JsonException)
        {
            usage = default;
            return false;
        }
    }

    /// <summary>Reads the <c>usage</c> of a whole response of the chat-completions wire, all of which is checked to be JSON in UTF-8.</summary>
    /// <param name="body">The response's body.</param>
    /// <param name="usage">Null when the response has none (or null).</param>
    /// <returns>False when the body is not one JSON object.</returns>
    public static bool TryReadResponse(ReadOnlySpan<byte> body, out TokenUsage? usage)
    {
        usage = null;
        if (!Utf8.IsValid(body))
            return false;
        try
        {
            var reader = new Utf8JsonReader(body);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            TokenUsage? found = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isUsage = JsonNames.Is(ref reader, "usage"u8);
                reader.Read();
                if (isUsage && reader.TokenType == JsonTokenType.StartObject)
                    found = ReadUsage(ref reader);
                else
                    reader.Skip();
            }
            _ = reader.Read();
            usage = found;
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static TokenUsage ReadUsage(ref Utf8JsonReader reader)
    {
        long? prompt = null;
        long? completion = null;
        long? total = null;
        long? cached = null;
        long? cacheHits = null;
        long? reasoning = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonNames.Is(ref reader, "prompt_tokens"u8))
                prompt = ReadCount(ref reader);
            else if (JsonNames.Is(ref reader, "completion_tokens"u8))
                completion = ReadCount(ref reader);
            else if (JsonNames.Is(ref reader, "total_tokens"u8))
                total = ReadCount(ref reader);
            else if (JsonNames.Is(ref reader, "prompt_tokens_details"u8))
                cached = ReadDetail(ref reader, "cached_tokens"u8);
            else if (JsonNames.Is(ref reader, "completion_tokens_details"u8))
                reasoning = ReadDetail(ref reader, "reasoning_tokens"u8);
            else if (JsonNames.Is(ref reader, "prompt_cache_hit_tokens"u8))
                cacheHits = ReadCount(ref reader);
            else
                reader.Skip();
        }
        return new TokenUsage(prompt, completion, total, cached ?? cacheHits, reasoning);
    }

    private static long? ReadDetail(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }
        long? count = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonNames.Is(ref reader, name))
                count = ReadCount(ref reader);
            else
                reader.Skip();
        }
        return count;
    }

    private static long? ReadCount(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.Number)
        {
            reader.Skip();
            return null;
        }
        if (reader.TryGetInt64(out var count))
            return count < 0 ? null : count;
        // Some providers count in floats.
        return reader.TryGetDouble(out var number) && number is >= 0 and < 1e15 && double.IsInteger(number)
            ? (long)number
            : null;
    }
}
