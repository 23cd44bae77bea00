using System.Globalization;

namespace Verbatim.Modules.Audit.Streams;

/// <summary>Times for a person, in a form that the commands and the API take back.</summary>
internal static class Times
{
    /// <summary>RFC 3339 in UTC, with the microseconds that events bear.</summary>
    public static string Of(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>How long after the beginning, to three digits or to the second.</summary>
    public static string Offset(TimeSpan passed) =>
        passed switch
        {
            { Ticks: 0 } => "+0",
            { TotalMilliseconds: < 1 } => Text($"+{passed.TotalMicroseconds:0} µs"),
            { TotalSeconds: < 1 } => Text($"+{passed.TotalMilliseconds:0.#} ms"),
            { TotalMinutes: < 1 } => Text($"+{passed.TotalSeconds:0.###} s"),
            { TotalHours: < 1 } => Text($"+{passed.Minutes} min {passed.Seconds} s"),
            { TotalDays: < 1 } => Text($"+{passed.Hours} h {passed.Minutes} min {passed.Seconds} s"),
            _ => Text($"+{passed.Days} d {passed.Hours} h {passed.Minutes} min"),
        };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
