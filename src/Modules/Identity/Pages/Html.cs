using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>
/// Markup that is safe to send: made from an interpolated string whose holes are escaped, so there is no way to forget it. A hole may stand
/// between tags or in a quoted attribute; anywhere else it throws.
/// </summary>
internal readonly record struct Html
{
    private readonly string? _text;

    private Html(string text) => _text = text;

    public static Html Empty => default;

    public static Html Of(HtmlBuilder markup) => new(markup.ToString());

    public static Html Join(IEnumerable<Html> parts) => new(string.Concat(parts.Select(p => p.ToString())));

    public override string ToString() => _text ?? "";
}

/// <summary>Follows the markup far enough to know where a hole stands.</summary>
[InterpolatedStringHandler]
internal ref struct HtmlBuilder
{
    // Everything that is written is written as it is, but for what means something in HTML.
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

    private readonly StringBuilder _text;
    private Place _place;

    public HtmlBuilder(int literalLength, int formattedCount)
    {
        _text = new StringBuilder(literalLength + (formattedCount * 32));
        _place = Place.Text;
    }

    private enum Place
    {
        Text,
        Tag,
        Attribute,
        Address,
    }

    public void AppendLiteral(string markup)
    {
        foreach (var c in markup)
        {
            _place = (_place, c) switch
            {
                (Place.Text, '<') => Place.Tag,
                (Place.Tag, '>') => Place.Text,
                (Place.Tag, '"') => IsAddress() ? Place.Address : Place.Attribute,
                (Place.Attribute or Place.Address, '"') => Place.Tag,
                _ => _place,
            };
            _text.Append(c);
        }
    }

    public readonly void AppendFormatted(string? value)
    {
        if (_place == Place.Tag)
            throw new InvalidOperationException("A value stands between tags or in a quoted attribute.");
        if (_place == Place.Address && EndsInQuote() && !IsHarmless(value ?? ""))
            throw new InvalidOperationException("An address begins with '/', 'https://', 'http://' or 'data:image/'.");
        _text.Append(Encoder.Encode(value ?? ""));
    }

    public readonly void AppendFormatted(int value) => _text.Append(value);

    public readonly void AppendFormatted(Html markup)
    {
        if (_place is Place.Attribute or Place.Address)
            throw new InvalidOperationException("Markup does not stand in an attribute.");
        _text.Append(markup.ToString());
    }

    public override readonly string ToString() => _text.ToString();

    // No javascript: and the like, whatever was typed.
    private static bool IsHarmless(string address) =>
        address.StartsWith('/')
        || address.StartsWith("https://", StringComparison.OrdinalIgnoreCase)
        || address.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
        || address.StartsWith("data:image/", StringComparison.OrdinalIgnoreCase);

    private readonly bool EndsInQuote() => _text.Length > 0 && _text[^1] == '"';

    private readonly bool IsAddress() =>
        EndsWith(" href=") || EndsWith(" src=") || EndsWith(" action=") || EndsWith(" formaction=");

    private readonly bool EndsWith(string end)
    {
        if (_text.Length < end.Length)
            return false;
        for (var i = 0; i < end.Length; i++)
        {
            if (_text[_text.Length - end.Length + i] != end[i])
                return false;
        }
        return true;
    }
}
