using System.Runtime.InteropServices;
using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.Wire.Anthropic;

/// <summary>
/// The <c>usage</c> of Anthropic's messages, merged over the events of a stream: each count is cumulative, and what an event does not say
/// again stays (Claude documentation, "Streaming Messages").
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal record struct MessagesUsage
{
    private long? _input;
    private long? _output;
    private long? _cacheRead;
    private long? _cacheWritten;
    private long? _thinking;

    /// <summary>Reads the usage of a whole message. Never throws.</summary>
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
            if (!JsonNames.Is(ref reader, "usage"u8))
            {
                reader.Skip();
                continue;
            }
            if (!JsonReading.EnterObject(ref reader))
                continue;
            var read = default(MessagesUsage);
            read.Merge(ref reader);
            usage = read.ToTokenUsage();
        }
        return true;
    }

    /// <summary>Takes the members of a usage object; the reader stands before the first.</summary>
    public void Merge(scoped ref Utf8JsonReader reader)
    {
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "input_tokens"u8))
                _input = Count(ref reader) ?? _input;
            else if (JsonNames.Is(ref reader, "output_tokens"u8))
                _output = Count(ref reader) ?? _output;
            else if (JsonNames.Is(ref reader, "cache_read_input_tokens"u8))
                _cacheRead = Count(ref reader) ?? _cacheRead;
            else if (JsonNames.Is(ref reader, "cache_creation_input_tokens"u8))
                _cacheWritten = Count(ref reader) ?? _cacheWritten;
            else if (JsonNames.Is(ref reader, "output_tokens_details"u8))
                MergeDetails(ref reader);
            else
                reader.Skip();
        }
    }

    /// <summary>
    /// In the terms of the record: there all of the input counts, which here is the sum of what was read anew, from a cache and into one.
    /// </summary>
    public readonly TokenUsage ToTokenUsage() =>
        new(
            _input + (_cacheRead ?? 0) + (_cacheWritten ?? 0),
            _output,
            Total: null,
            _cacheRead,
            _thinking,
            _cacheWritten
        );

    private void MergeDetails(scoped ref Utf8JsonReader reader)
    {
        if (!JsonReading.EnterObject(ref reader))
            return;
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "thinking_tokens"u8))
                _thinking = Count(ref reader) ?? _thinking;
            else
                reader.Skip();
        }
    }

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
}
