using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Wire.OpenAi.Responses;

/// <summary>The <c>usage</c> of a response (OpenAI's API reference, "The response object").</summary>
internal static class ResponsesUsage
{
    /// <summary>Reads the usage of a whole response. Never throws.</summary>
    /// <returns>False when the body is not one JSON object in UTF-8.</returns>
    public static bool TryReadResponse(ReadOnlySpan<byte> body, out TokenUsage? usage)
    {
        usage = null;
        if (!JsonObjects.IsObject(body))
            return false;
        var reader = new Utf8JsonReader(body);
        reader.Read();
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "usage"u8))
                usage = Read(JsonReading.Raw(ref reader, body)) ?? usage;
            else
                reader.Skip();
        }
        return true;
    }

    /// <summary>Reads a usage object that has been found well-formed; null for anything else.</summary>
    public static TokenUsage? Read(ReadOnlySpan<byte> json)
    {
        if (json is not [(byte)'{', ..])
            return null;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        long? input = null;
        long? output = null;
        long? total = null;
        var details = default(Details);
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "input_tokens"u8))
                input = Count(ref reader);
            else if (JsonNames.Is(ref reader, "output_tokens"u8))
                output = Count(ref reader);
            else if (JsonNames.Is(ref reader, "total_tokens"u8))
                total = Count(ref reader);
            else if (
                JsonNames.Is(ref reader, "input_tokens_details"u8)
                || JsonNames.Is(ref reader, "output_tokens_details"u8)
            )
                details.Read(ref reader);
            else
                reader.Skip();
        }
        return new TokenUsage(input, output, total, details.Cached, details.Reasoning, details.Written);
    }

    /// <summary>The same; null too where it counts no tokens, but seconds of sound.</summary>
    public static TokenUsage? ReadCounts(ReadOnlySpan<byte> json) =>
        Read(json) is { } usage && (usage.Prompt ?? usage.Completion ?? usage.Total) is not null ? usage : null;

    private static long? Count(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        if (
            reader.TokenType == JsonTokenType.Number
            && reader.TryGetInt64(out var count)
            && count is >= 0 and < 1L << 53
        )
            return count;
        reader.Skip();
        return null;
    }

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private struct Details
    {
        public long? Cached;
        public long? Written;
        public long? Reasoning;

        public void Read(scoped ref Utf8JsonReader reader)
        {
            if (!JsonReading.EnterObject(ref reader))
                return;
            while (JsonReading.NextMember(ref reader))
            {
                if (JsonNames.Is(ref reader, "cached_tokens"u8))
                    Cached = Count(ref reader);
                else if (JsonNames.Is(ref reader, "cache_write_tokens"u8))
                    Written = Count(ref reader);
                else if (JsonNames.Is(ref reader, "reasoning_tokens"u8))
                    Reasoning = Count(ref reader);
                else
                    reader.Skip();
            }
        }
    }
}
