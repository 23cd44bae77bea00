using System.Globalization;

namespace Verbatim.Tests.Upstream.Commands;

/// <summary>
/// A place in an answer: so many whole events, and so many bytes of the next. <see cref="Request"/> is before the
/// status line; 0 is after the headers and before the first byte of the body.
/// </summary>
internal sealed record Position(int Events, int Bytes)
{
    public static readonly Position Request = new(-1, 0);

    /// <summary>By which positions sort.</summary>
    public (int, int) Order => (Events, Bytes);

    /// <summary>Reads <c>request</c>, <c>3</c> or <c>3+17</c>.</summary>
    public static bool TryParse(string text, out Position position)
    {
        position = Request;
        if (text is "request")
            return true;
        var plus = text.IndexOf('+', StringComparison.Ordinal);
        var events = plus < 0 ? text : text[..plus];
        var bytes = plus < 0 ? "0" : text[(plus + 1)..];
        if (!TryParseCount(events, out var eventCount) || !TryParseCount(bytes, out var byteCount))
            return false;
        position = new Position(eventCount, byteCount);
        return true;
    }

    public override string ToString() =>
        Events < 0 ? "request"
        : Bytes is 0 ? Events.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Events}+{Bytes}");

    private static bool TryParseCount(string text, out int count) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count);
}
