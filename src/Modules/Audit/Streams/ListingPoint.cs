using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>How far a listing has come. It travels in the cursor.</summary>
/// <param name="Head">The last position of the log when the first page was read: later events do not exist for this listing.</param>
/// <param name="BeforePosition">The next page begins with the latest match before this position.</param>
/// <param name="NotAfter">A time that no event before that position is later than.</param>
internal sealed record ListingPoint(long Head, long BeforePosition, DateTimeOffset NotAfter)
{
    public string ToCursor(StreamFilter filter) =>
        Cursor.Write(Text(Head), Text(BeforePosition), Text(NotAfter.UtcTicks), filter.Fingerprint());

    /// <returns>False for a cursor that no list gave, or a list with other filters.</returns>
    public static bool TryRead(string cursor, StreamFilter filter, [NotNullWhen(true)] out ListingPoint? point)
    {
        point = null;
        if (
            !Cursor.TryRead(cursor, 4, out var parts)
            || !TryRead(parts[0], out var head)
            || !TryRead(parts[1], out var before)
            || !TryRead(parts[2], out var ticks)
            || ticks > DateTimeOffset.MaxValue.UtcTicks
            || parts[3] != filter.Fingerprint()
        )
            return false;
        point = new ListingPoint(head, before, new DateTimeOffset(ticks, TimeSpan.Zero));
        return true;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static bool TryRead(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
