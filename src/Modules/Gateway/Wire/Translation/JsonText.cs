using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>A JSON string as it stands in a request, with its quotes and escapes, so that it goes into another body byte by byte.</summary>
/// <param name="Token">The bytes, quotes included.</param>
internal readonly record struct JsonText(ReadOnlyMemory<byte> Token)
{
    /// <summary>The empty string.</summary>
    public static readonly JsonText Empty = new("\"\""u8.ToArray());

    /// <summary>What stands between the quotes.</summary>
    public ReadOnlySpan<byte> Escaped => Inside(Token.Span);

    /// <summary>Nothing but white space, escaped or not: what Anthropic's messages refuse as a text.</summary>
    public bool IsBlank
    {
        get
        {
            var rest = Escaped;
            while (!rest.IsEmpty)
            {
                if (rest[0] == ' ')
                    rest = rest[1..];
                else if (rest.Length > 1 && rest[0] == '\\' && rest[1] is (byte)'n' or (byte)'r' or (byte)'t')
                    rest = rest[2..];
                else if (rest.StartsWith("\\u0020"u8))
                    rest = rest[6..];
                else
                    return false;
            }
            return true;
        }
    }

    /// <summary>The string in quotes.</summary>
    public static JsonText Of(string text) => Quote(Escape(text));

    /// <summary>Puts quotes around what is escaped already.</summary>
    public static JsonText Quote(ReadOnlySpan<byte> escaped) => new((byte[])[(byte)'"', .. escaped, (byte)'"']);

    /// <summary>Puts quotes around two pieces that are escaped already.</summary>
    public static JsonText Quote(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second) =>
        new((byte[])[(byte)'"', .. first, .. second, (byte)'"']);

    /// <summary>The inside of a JSON string of which this is the text.</summary>
    public static ReadOnlySpan<byte> Escape(string text) =>
        JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes;

    /// <summary>The inside of a JSON string of which this is the text, in UTF-8.</summary>
    public static ReadOnlySpan<byte> Escape(ReadOnlySpan<byte> utf8) =>
        JsonEncodedText.Encode(utf8, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes;

    /// <summary>The text that the inside of a JSON string stands for; U+FFFD where half a surrogate pair is escaped. Never throws.</summary>
    public static string Unescape(ReadOnlySpan<byte> escaped)
    {
        var text = Encoding.UTF8.GetString(escaped);
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        var unescaped = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '\\' || at + 1 == text.Length)
            {
                unescaped.Append(text[at]);
                continue;
            }
            at++;
            if (text[at] != 'u')
            {
                unescaped.Append(Simple(text[at]));
                continue;
            }
            if (!TryHex(text, at + 1, out var unit))
                continue;
            at += 4;
            unescaped.Append(unit);
        }
        return WithoutHalves(unescaped.ToString());
    }

    /// <inheritdoc/>
    public override string ToString() => Unescape(Escaped);

    private static ReadOnlySpan<byte> Inside(ReadOnlySpan<byte> token) => token.Length < 2 ? default : token[1..^1];

    private static char Simple(char escape) =>
        escape switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\b',
            'f' => '\f',
            _ => escape,
        };

    private static bool TryHex(string text, int at, out char unit)
    {
        unit = default;
        if (at + 4 > text.Length)
            return false;
        var isHex = ushort.TryParse(
            text.AsSpan(at, 4),
            NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture,
            out var code
        );
        unit = (char)code;
        return isHex;
    }

    // The encoder of the framework puts U+FFFD in place of what is no UTF-16.
    private static string WithoutHalves(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
