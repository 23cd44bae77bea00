using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>What may stand in the value of an HTTP header (RFC 9110 §5.5): neither Kestrel nor HttpClient sends anything else.</summary>
internal static class HeaderText
{
    // Clients read 16 KiB of all headers together, some of them less.
    private const int MaxLength = 2000;

    private static readonly SearchValues<char> Sound = SearchValues.Create(
        string.Concat(Enumerable.Range(' ', '~' - ' ' + 1).Select(static c => (char)c)) + '\t'
    );

    /// <summary>It can be sent as it is.</summary>
    public static bool IsSound(ReadOnlySpan<char> value) => !value.ContainsAnyExcept(Sound);

    /// <summary>What a header says, as it is written; null when it is missing, or cannot be passed on.</summary>
    public static string? Read(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) && values.ToString() is var value && IsSound(value)
            ? value
            : null;

    /// <summary>A text in a form that can be sent: other characters as JSON escapes them, and cut where it is too long.</summary>
    public static string Of(string text)
    {
        if (text.Length <= MaxLength && IsSound(text))
            return text;
        var escaped = new StringBuilder(MaxLength);
        foreach (var c in text)
        {
            if (escaped.Length > MaxLength)
                return escaped.Append("...").ToString();
            if (Sound.Contains(c))
                escaped.Append(c);
            else
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }
        return escaped.ToString();
    }
}
