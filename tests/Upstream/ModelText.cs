using System.Text;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream;

/// <summary>The text that the model says, in the pieces in which a stream carries it; their sum is the whole answer.</summary>
internal static class ModelText
{
    private static readonly string[] Default = ["Hello", "!", " How", " can", " I", " assist", " you", " today", "?"];

    public static string[] Pieces(CommandSet commands, ReadOnlySpan<byte> body)
    {
        if (commands.ChunkText is { } chunk)
            return [.. Enumerable.Repeat(chunk, commands.Chunks ?? 1)];
        var text =
            commands.Text
            ?? (commands.Bytes is { } length ? Filler(length) : null)
            ?? (commands.Echo ? Encoding.UTF8.GetString(body) : null);
        if (text is not null)
            return commands.Chunks is { } count ? Split(text, count) : Words(text, commands.Bytes);
        return commands.Chunks is { } pieces
            ? [.. Enumerable.Range(0, pieces).Select(static at => Default[at % Default.Length])]
            : Default;
    }

    /// <summary>Each word with the space before it, as tokens come.</summary>
    public static string[] Words(string text) => Words(text, fillerLength: null);

    /// <summary>Filler has no words and goes in pages.</summary>
    private static string[] Words(string text, int? fillerLength)
    {
        if (text.Length is 0)
            return [];
        if (fillerLength is { } length)
            return Split(text, (length + 4095) / 4096);
        var words = new List<string>();
        var start = 0;
        for (var at = 1; at < text.Length; at++)
        {
            if (text[at] is ' ' && text[at - 1] is not ' ')
            {
                words.Add(text[start..at]);
                start = at;
            }
        }

        words.Add(text[start..]);
        return [.. words];
    }

    /// <summary>Pieces of equal length, but for the remainder and for surrogate pairs, which stay whole.</summary>
    private static string[] Split(string text, int count)
    {
        if (count > text.Length)
        {
            throw new WrongCommandException(
                "chunks",
                $"The command 'chunks' asks for {count} pieces of a text of {text.Length} characters."
            );
        }

        var pieces = new string[count];
        var start = 0;
        for (var piece = 0; piece < count; piece++)
        {
            var end = (int)((long)text.Length * (piece + 1) / count);
            if (end < text.Length && char.IsLowSurrogate(text[end]))
                end++;
            pieces[piece] = text[Math.Min(start, end)..end];
            start = end;
        }

        return pieces;
    }

    private static string Filler(int length) =>
        string.Create(
            length,
            0,
            static (text, _) =>
            {
                for (var at = 0; at < text.Length; at++)
                    text[at] = (char)('a' + (at % 26));
            }
        );
}
