using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>
/// Cuts a text into words and hashes each: runs of letters, digits and the marks on them, whatever their case; a character of a script that
/// has no spaces is a word by itself. Words that look the same are the same (Unicode normalization form KC). Never throws.
/// </summary>
/// <param name="hash">Hashes the words.</param>
/// <param name="add">Gets the hash of each, in their order.</param>
internal sealed class Words(SipHash hash, Action<ulong> add)
{
    /// <summary>What a longer word has behind this many characters does not count.</summary>
    public const int MaxLength = 64;

    private readonly char[] _word = new char[MaxLength];
    private int _length;

    /// <summary>The words of a text.</summary>
    public void Add(ReadOnlySpan<char> text)
    {
        foreach (var rune in text.EnumerateRunes())
            Add(rune);
        End();
    }

    /// <summary>The words of a JSON string, escaped, or of a part of one that was cut anywhere.</summary>
    public void AddEscaped(ReadOnlySpan<byte> utf8)
    {
        var high = '\0';
        while (!utf8.IsEmpty)
        {
            var first = utf8[0];
            if (first is < 0x80 and not (byte)'\\')
            {
                AddAscii((char)first);
                utf8 = utf8[1..];
            }
            else if (first == '\\')
            {
                utf8 = utf8[Unescape(utf8, ref high)..];
            }
            else
            {
                // In a cut sequence of bytes: U+FFFD, which belongs to no word.
                _ = Rune.DecodeFromUtf8(utf8, out var rune, out var used);
                Add(rune);
                utf8 = utf8[used..];
            }
        }
        End();
    }

    private int Unescape(ReadOnlySpan<byte> utf8, ref char high)
    {
        if (utf8.Length >= 6 && utf8[1] == 'u')
        {
            if (
                !ushort.TryParse(
                    utf8.Slice(2, 4),
                    NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture,
                    out var unit
                )
            )
                return 2;
            if (char.IsHighSurrogate((char)unit))
                high = (char)unit;
            else if (Rune.TryCreate((char)unit, out var rune) || Rune.TryCreate(high, (char)unit, out rune))
                Add(rune);
            return 6;
        }
        // Every other escape is a sign or a space, and stands between words.
        End();
        return Math.Min(2, utf8.Length);
    }

    private void AddAscii(char c)
    {
        if (char.IsAsciiLetterOrDigit(c))
            Append(char.ToLowerInvariant(c));
        else
            End();
    }

    private void Add(Rune rune)
    {
        if (rune.IsAscii)
        {
            AddAscii((char)rune.Value);
            return;
        }
        if (!BelongsToWord(rune))
        {
            End();
            return;
        }
        var isWordByItself = IsOfScriptWithoutSpaces(rune.Value);
        if (isWordByItself)
            End();
        Span<char> units = stackalloc char[2];
        var count = Rune.ToLowerInvariant(rune).EncodeToUtf16(units);
        for (var i = 0; i < count; i++)
            Append(units[i]);
        if (isWordByItself)
            End();
    }

    private void Append(char c)
    {
        if (_length < MaxLength)
            _word[_length++] = c;
    }

    private void End()
    {
        if (_length == 0)
            return;
        add(hash.Of(MemoryMarshal.AsBytes(_word.AsSpan(0, _length))));
        _length = 0;
    }

    private static bool BelongsToWord(Rune rune) =>
        Rune.IsLetterOrDigit(rune)
        || Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.LetterNumber;

    // Hiragana, Katakana, the unified ideographs with their extensions, Thai, Lao, Khmer and Burmese (Unicode, "Blocks").
    private static bool IsOfScriptWithoutSpaces(int value) =>
        value
            is (>= 0x3040 and <= 0x30FF)
                or (>= 0x3400 and <= 0x4DBF)
                or (>= 0x4E00 and <= 0x9FFF)
                or (>= 0xF900 and <= 0xFAFF)
                or (>= 0x20000 and <= 0x3FFFF);
}
