using System.Text;
using Verbatim.Modules.Audit.Changes;

namespace Verbatim.Modules.Audit.Replay;

/// <summary>What a piece of text is, which a terminal shows by its colour.</summary>
internal enum Style
{
    Plain,
    Heading,
    Faint,
    Key,
    Speaker,
    Added,
    Changed,
    Removed,
    Alarm,
}

/// <summary>Lines of text with colours, if the terminal has any. Knows the column at which it is.</summary>
internal sealed class StyledWriter(Terminal terminal)
{
    private readonly StringBuilder _text = new();

    public int Width => terminal.Width;

    public int Column { get; private set; }

    /// <summary>Goes to a column, unless the line has come further.</summary>
    public StyledWriter MoveTo(int column)
    {
        if (Column < column)
        {
            _text.Append(' ', column - Column);
            Column = column;
        }
        return this;
    }

    /// <summary>Writes text that is known to be printable.</summary>
    public StyledWriter Write(string text, Style style = Style.Plain)
    {
        Column += Printable.WidthOf(text);
        if (!terminal.HasColor || style == Style.Plain || text.Length == 0)
        {
            _text.Append(text);
            return this;
        }
        // ECMA-48 §8.3.117, Select Graphic Rendition.
        _text.Append("\u001b[").Append(CodeOf(style)).Append('m').Append(text).Append("\u001b[0m");
        return this;
    }

    public StyledWriter EndLine()
    {
        _text.Append('\n');
        Column = 0;
        return this;
    }

    /// <summary>What was written since the last time.</summary>
    public string Take()
    {
        var text = _text.ToString();
        _text.Clear();
        return text;
    }

    private static string CodeOf(Style style) =>
        style switch
        {
            Style.Plain => "0",
            Style.Heading => "1",
            Style.Faint => "2",
            Style.Key => "36",
            Style.Speaker => "1;35",
            Style.Added => "32",
            Style.Changed => "33",
            Style.Removed => "31",
            Style.Alarm => "1;31",
            _ => throw new ArgumentOutOfRangeException(nameof(style), style, "Not a style."),
        };
}
