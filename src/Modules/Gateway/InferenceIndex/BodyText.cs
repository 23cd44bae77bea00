using System.Buffers;
using System.Text.Json;
using Verbatim.Modules.Gateway.Wire;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>
/// Finds what was said in the bodies of a call, on whichever wire: the texts of messages, thoughts, tool calls and their results. Not what
/// describes tools and formats, which is the same in every call, and no images or files. Never throws.
/// </summary>
internal static class BodyText
{
    /// <summary>
    /// So many bytes of text (as JSON writes it) are read of each body: of a request the last, since a dialogue repeats what was said before,
    /// and of an answer the first.
    /// </summary>
    public const int MaxBytes = 16 * 1024;

    // What arrives here was checked to be JSON; how deep an answer is was not.
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 1000 };

    private static readonly byte[][] Said =
    [
        "content"u8.ToArray(),
        "text"u8.ToArray(),
        "input"u8.ToArray(),
        "prompt"u8.ToArray(),
        "system"u8.ToArray(),
        "instructions"u8.ToArray(),
        "output"u8.ToArray(),
        "arguments"u8.ToArray(),
        "name"u8.ToArray(),
        "refusal"u8.ToArray(),
        "reasoning"u8.ToArray(),
        "reasoning_content"u8.ToArray(),
        "thinking"u8.ToArray(),
        "message"u8.ToArray(),
    ];

    private static readonly byte[][] Passed =
    [
        "tools"u8.ToArray(),
        "functions"u8.ToArray(),
        "response_format"u8.ToArray(),
        "metadata"u8.ToArray(),
        "logprobs"u8.ToArray(),
    ];

    /// <summary>The words of a request's body.</summary>
    public static void ReadRequest(ReadOnlySpan<byte> body, Words words) => Read(body, words, isFromEnd: true);

    /// <summary>The words of an answer's body.</summary>
    public static void ReadAnswer(ReadOnlySpan<byte> body, Words words) => Read(body, words, isFromEnd: false);

    private static void Read(ReadOnlySpan<byte> body, Words words, bool isFromEnd)
    {
        var found = ArrayPool<(int Start, int Length)>.Shared.Rent(64);
        var count = 0;
        try
        {
            try
            {
                Find(body, ref found, ref count, isFromEnd);
            }
            catch (JsonException)
            {
                // Too deep: what stands before is found.
            }
            var left = MaxBytes;
            for (var i = 0; i < count && left > 0; i++)
            {
                var (start, length) = found[isFromEnd ? count - 1 - i : i];
                var taken = Math.Min(length, left);
                words.AddEscaped(body.Slice(isFromEnd ? start + length - taken : start, taken));
                left -= taken;
            }
        }
        finally
        {
            ArrayPool<(int Start, int Length)>.Shared.Return(found);
        }
    }

    private static void Find(
        ReadOnlySpan<byte> body,
        ref (int Start, int Length)[] found,
        ref int count,
        bool isFromEnd
    )
    {
        var reader = new Utf8JsonReader(body, Options);
        var bytes = 0;
        var isSaid = false;
        // Everything in the arguments of a tool call, which are an object on Anthropic's wire.
        var allBelow = int.MaxValue;
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    if (IsOneOf(ref reader, Passed))
                    {
                        reader.Skip();
                        break;
                    }
                    isSaid = IsOneOf(ref reader, Said);
                    if (isSaid && JsonNames.Is(ref reader, "input"u8))
                        allBelow = PeekObject(ref reader, allBelow);
                    break;
                case JsonTokenType.EndObject when reader.CurrentDepth <= allBelow:
                    allBelow = int.MaxValue;
                    break;
                case JsonTokenType.StartObject when reader.CurrentDepth < allBelow:
                    isSaid = false;
                    break;
                case JsonTokenType.String
                    when (isSaid || reader.CurrentDepth > allBelow) && reader.ValueSpan.Length > 0:
                    if (count == found.Length)
                        Grow(ref found);
                    found[count++] = ((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
                    bytes += reader.ValueSpan.Length;
                    if (!isFromEnd && bytes >= MaxBytes)
                        return;
                    break;
                default:
                    break;
            }
        }
    }

    // Looks at the value of a property without leaving its name.
    private static int PeekObject(ref Utf8JsonReader reader, int otherwise)
    {
        var ahead = reader;
        return ahead.Read() && ahead.TokenType == JsonTokenType.StartObject && otherwise == int.MaxValue
            ? ahead.CurrentDepth
            : otherwise;
    }

    private static bool IsOneOf(ref Utf8JsonReader reader, byte[][] names)
    {
        foreach (var name in names)
        {
            if (JsonNames.Is(ref reader, name))
                return true;
        }
        return false;
    }

    private static void Grow(ref (int Start, int Length)[] found)
    {
        var larger = ArrayPool<(int Start, int Length)>.Shared.Rent(found.Length * 2);
        found.CopyTo(larger, 0);
        ArrayPool<(int Start, int Length)>.Shared.Return(found);
        found = larger;
    }
}
