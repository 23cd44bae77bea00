using System.Buffers;

namespace Verbatim.Modules.Gateway.Providers.Simulator;

/// <summary>
/// The simulator's tokens: a word is a run of bytes without white space (space, tab, line feed, carriage return). Simple enough to count by
/// hand what a call must cost.
/// </summary>
internal static class Words
{
    private static readonly SearchValues<byte> WhiteSpace = SearchValues.Create(" \t\n\r"u8);

    /// <summary>The number of words.</summary>
    public static int Count(ReadOnlySpan<byte> text)
    {
        var count = 0;
        while (Next(text) is var length && length > 0)
        {
            // White space alone is no word.
            if (text[..length].ContainsAnyExcept(WhiteSpace))
                count++;
            text = text[length..];
        }
        return count;
    }

    /// <summary>
    /// The length of the next piece: a word with the white space before it, and with that behind it where it is the last. 0 at the end.
    /// </summary>
    public static int Next(ReadOnlySpan<byte> text)
    {
        var start = text.IndexOfAnyExcept(WhiteSpace);
        if (start < 0)
            return text.Length;
        var word = text[start..].IndexOfAny(WhiteSpace);
        if (word < 0)
            return text.Length;
        var end = start + word;
        return text[end..].ContainsAnyExcept(WhiteSpace) ? end : text.Length;
    }

    /// <summary>The length of the first words.</summary>
    public static int LengthOf(ReadOnlySpan<byte> text, int words)
    {
        var length = 0;
        for (; words > 0 && length < text.Length; words--)
        {
            var rest = text[length..];
            var start = rest.IndexOfAnyExcept(WhiteSpace);
            if (start < 0)
                break;
            var word = rest[start..].IndexOfAny(WhiteSpace);
            length = word < 0 ? text.Length : length + start + word;
        }
        return length;
    }
}
