using System.Globalization;
using System.Text;

namespace Verbatim.Modules.Audit.Changes;

/// <summary>
/// Makes recorded text safe and measurable on a terminal. What is recorded was written by strangers: shown as it is, it could move the
/// cursor, change the title, or turn the direction of writing, and so make the record look other than it is.
/// </summary>
internal static class Printable
{
    private const int TabWidth = 4;

    /// <summary>The text on one line, with everything that is not to be seen written out as in JSON.</summary>
    public static string Line(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            Append(line, rune);
        return line.ToString();
    }

    /// <summary>The text in quotes, so that it cannot be taken for anything around it.</summary>
    public static string Quoted(string text)
    {
        var line = new StringBuilder(text.Length + 2).Append('"');
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is '"' or '\\')
                line.Append('\\');
            Append(line, rune);
        }
        return line.Append('"').ToString();
    }

    /// <summary>The lines of a text, none wider than <paramref name="width"/> columns.</summary>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        foreach (var line in text.ReplaceLineEndings("\n").Split('\n'))
        {
            foreach (
                var part in WrapLine(
                    Line(line.Replace("\t", new string(' ', TabWidth), StringComparison.Ordinal)),
                    width
                )
            )
                yield return part;
        }
    }

    /// <summary>The beginning of a line that has no more than <paramref name="width"/> columns, with a mark when something is missing.</summary>
    public static string Cut(string line, int width)
    {
        if (WidthOf(line) <= width)
            return line;
        var cut = new StringBuilder();
        var columns = 1;
        foreach (var rune in line.EnumerateRunes())
        {
            columns += WidthOf(rune);
            if (columns > width)
                break;
            cut.Append(rune.ToString());
        }
        return cut.Append('…').ToString();
    }

    /// <summary>The columns that a line takes.</summary>
    public static int WidthOf(string line)
    {
        var width = 0;
        foreach (var rune in line.EnumerateRunes())
            width += WidthOf(rune);
        return width;
    }

    private static IEnumerable<string> WrapLine(string line, int width)
    {
        var start = 0;
        var columns = 0;
        // The place behind the last space at which the line may be broken, and the columns up to there.
        var (breakAt, breakColumns) = (0, 0);
        for (var at = 0; at < line.Length; )
        {
            var rune = Rune.GetRuneAt(line, at);
            var runeWidth = WidthOf(rune);
            // A space at the end may stand over the edge: it is not shown.
            if (columns + runeWidth > width && columns > 0 && rune.Value != ' ')
            {
                if (breakAt <= start)
                    (breakAt, breakColumns) = (at, columns);
                yield return line[start..breakAt].TrimEnd(' ');
                start = breakAt;
                columns -= breakColumns;
            }
            columns += runeWidth;
            at += rune.Utf16SequenceLength;
            if (rune.Value == ' ' && !string.IsNullOrWhiteSpace(line[start..at]))
                (breakAt, breakColumns) = (at, columns);
        }
        yield return line[start..];
    }

    private static void Append(StringBuilder line, Rune rune)
    {
        // A lone surrogate arrives here as U+FFFD.
        if (!IsHidden(rune))
            line.Append(rune.ToString());
        else if (rune.IsBmp)
            line.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
        else
            line.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
    }

    private static bool IsHidden(Rune rune) =>
        Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => true,
            // The joiners shape letters and emoji; all other format characters can only mislead.
            UnicodeCategory.Format => rune.Value is not (0x200C or 0x200D),
            _ => false,
        };

    // Unicode Standard Annex 11, roughly: what an East Asian font or an emoji font draws over two columns.
    private static int WidthOf(Rune rune) =>
        rune.Value switch
        {
            < 0x300 => 1,
            _ when IsCombining(rune) => 0,
            >= 0x1100 and <= 0x115F => 2,
            >= 0x2E80 and <= 0x303E => 2,
            >= 0x3041 and <= 0xA4CF => 2,
            >= 0xA960 and <= 0xA97F => 2,
            >= 0xAC00 and <= 0xD7A3 => 2,
            >= 0xF900 and <= 0xFAFF => 2,
            >= 0xFE30 and <= 0xFE6F => 2,
            >= 0xFF00 and <= 0xFF60 => 2,
            >= 0xFFE0 and <= 0xFFE6 => 2,
            >= 0x1F300 and <= 0x1F64F => 2,
            >= 0x1F680 and <= 0x1F6FF => 2,
            >= 0x1F900 and <= 0x1FAFF => 2,
            >= 0x20000 and <= 0x3FFFD => 2,
            _ => 1,
        };

    private static bool IsCombining(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.Format;
}
