using System.Buffers;
using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.OpenAi;

/// <summary>
/// Recognizes a chunk that differs from the one before in nothing but the next words of the answer, and in padding: as nearly all chunks of a stream do.
/// To take such a one is to append the words; everything else in it has been taken already, and says the same again.
/// </summary>
/// <remarks>
/// Learnt from a chunk that was read in full. What would add something a second time (pieces of tool calls, log probabilities, other texts) makes a
/// chunk no pattern. Whatever does not fit byte by byte is read in full, and the pattern forgotten.
/// </remarks>
internal sealed class RepeatedChunk : IDisposable
{
    // Some providers count in every chunk, or send tool calls in many pieces: looking for a pattern is given up.
    private const int MostVainLooks = 8;

    private static readonly SearchValues<byte> EndOfPlainText = SearchValues.Create([
        .. Enumerable.Range(0, ' ').Select(static c => (byte)c),
        (byte)'"',
        (byte)'\\',
    ]);

    private PooledBytes _pattern;
    private Gap _first;
    private Gap _second;
    private MergedJson? _text;
    private int _vainLooks;

    // A place between two quotes where any text may stand, as an offset into the pattern, from which its own text is left out.
    private readonly record struct Gap(int At, bool IsText);

    /// <summary>Takes a chunk if it repeats the pattern.</summary>
    public bool TryTake(ReadOnlySpan<byte> chunk)
    {
        if (_text is null)
            return false;
        var pattern = _pattern.Span;
        var at = 0;
        if (
            !Follows(pattern[.._first.At], chunk, ref at)
            || !TryReadText(chunk, ref at, out var first)
            || !Follows(pattern[_first.At.._second.At], chunk, ref at)
        )
            return Forget();
        // Without padding the second gap is at the end of the pattern, and nothing stands in it.
        var second = default(ReadOnlySpan<byte>);
        if (_second.At < pattern.Length && !TryReadText(chunk, ref at, out second))
            return Forget();
        if (
            !Follows(pattern[_second.At..], chunk, ref at)
            || at != chunk.Length
            || !_text.TryAppendText(_first.IsText ? first : second)
        )
            return Forget();
        _vainLooks = 0;
        return true;
    }

    /// <summary>Makes a chunk the pattern, if it may be one.</summary>
    /// <param name="chunk">A chunk that was taken, and is no error.</param>
    /// <param name="textOf">What a choice's message has under a name: by the index and the name; null when that is no text.</param>
    public void Learn(ReadOnlySpan<byte> chunk, Func<int, ReadOnlySpan<byte>, MergedJson?> textOf)
    {
        if (_vainLooks == MostVainLooks)
            return;
        _vainLooks++;
        var found = new Found();
        if (!found.TryRead(chunk) || textOf(found.Index, chunk[found.Name]) is not { } text)
            return;
        var (words, padding) = (found.Words, found.Padding);
        var (a, b) =
            padding is { } p && p.Start.Value < words.Start.Value
                ? (p, words)
                : (words, padding ?? chunk.Length..chunk.Length);
        _pattern.Set(chunk[..a.Start]);
        _pattern.Append(chunk[a.End..b.Start]);
        _pattern.Append(chunk[b.End..]);
        _first = new Gap(a.Start.Value, a.Equals(words));
        _second = new Gap(b.Start.Value - (a.End.Value - a.Start.Value), b.Equals(words));
        _text = text;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _text = null;
        _pattern.Dispose();
    }

    private bool Forget()
    {
        _text = null;
        return false;
    }

    private static bool Follows(ReadOnlySpan<byte> part, ReadOnlySpan<byte> chunk, ref int at)
    {
        if (!chunk[at..].StartsWith(part))
            return false;
        at += part.Length;
        return true;
    }

    // The inside of a JSON string, up to its quote.
    private static bool TryReadText(ReadOnlySpan<byte> chunk, scoped ref int at, out ReadOnlySpan<byte> text)
    {
        var start = at;
        text = default;
        while (true)
        {
            var run = chunk[at..].IndexOfAny(EndOfPlainText);
            if (run < 0)
                return false;
            at += run;
            if (chunk[at] == '"')
            {
                text = chunk[start..at];
                return true;
            }
            // Escapes of one character only; the others are seldom, and are read in full.
            if (chunk[at] != '\\' || at + 1 >= chunk.Length || "\"\\/bfnrt"u8.IndexOf(chunk[at + 1]) < 0)
                return false;
            at += 2;
        }
    }

    /// <summary>The places of a chunk that may be a pattern.</summary>
    private ref struct Found
    {
        public int Index;
        public Range Name;
        public Range Words;
        public Range? Padding;
        private bool _hasChoices;

        public bool TryRead(ReadOnlySpan<byte> chunk)
        {
            var reader = new Utf8JsonReader(chunk);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueIsEscaped)
                    return false;
                var isChoices = reader.ValueSpan.SequenceEqual("choices"u8);
                var isPadding = reader.ValueSpan.SequenceEqual("obfuscation"u8);
                reader.Read();
                if (isChoices && (_hasChoices || !TryReadChoices(ref reader)))
                    return false;
                if (isPadding && reader.TokenType == JsonTokenType.String)
                {
                    if (Padding is not null)
                        return false;
                    Padding = InsideOf(ref reader);
                }
                reader.Skip();
            }
            return _hasChoices;
        }

        private bool TryReadChoices(ref Utf8JsonReader reader)
        {
            _hasChoices = true;
            if (
                reader.TokenType != JsonTokenType.StartArray
                || !reader.Read()
                || reader.TokenType != JsonTokenType.StartObject
            )
                return false;
            var (hasDelta, hasIndex) = (false, false);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueIsEscaped)
                    return false;
                var name = reader.ValueSpan;
                reader.Read();
                if (name.SequenceEqual("delta"u8))
                {
                    if (hasDelta || !TryReadDelta(ref reader))
                        return false;
                    hasDelta = true;
                }
                else if (name.SequenceEqual("index"u8))
                {
                    if (hasIndex || reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out Index))
                        return false;
                    hasIndex = true;
                }
                else if (name.SequenceEqual("logprobs"u8) && reader.TokenType != JsonTokenType.Null)
                {
                    return false;
                }
                // What else there is takes the place of what was there.
                reader.Skip();
            }
            return hasDelta && reader.Read() && reader.TokenType == JsonTokenType.EndArray;
        }

        private bool TryReadDelta(ref Utf8JsonReader reader)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
                return false;
            var hasWords = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueIsEscaped)
                    return false;
                var name = InsideOf(ref reader);
                // The role is taken once, however often it is repeated.
                var isRole = reader.ValueSpan.SequenceEqual("role"u8);
                reader.Read();
                if (reader.TokenType == JsonTokenType.Null)
                    continue;
                if (reader.TokenType != JsonTokenType.String)
                    return false;
                if (reader.ValueSpan.Length == 0 || isRole)
                    continue;
                if (hasWords)
                    return false;
                hasWords = true;
                Name = name;
                Words = InsideOf(ref reader);
            }
            return hasWords;
        }

        private static Range InsideOf(ref Utf8JsonReader reader)
        {
            var start = (int)reader.TokenStartIndex + 1;
            return start..(start + reader.ValueSpan.Length);
        }
    }
}
