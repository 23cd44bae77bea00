using System.Globalization;

namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>How long a provider asks to wait: seconds or a date (RFC 9110, 10.2.3); OpenAI and Azure also say it in milliseconds.</summary>
internal static class RetryAfter
{
    // A day: what is beyond it is no wait but a mistake.
    private const double MostSeconds = 86_400;

    /// <summary>Reads the two headers; null for none, or for what cannot be read.</summary>
    public static TimeSpan? Read(string? milliseconds, string? text, TimeProvider time)
    {
        if (Number(milliseconds) is { } ms and < MostSeconds * 1000)
            return TimeSpan.FromMilliseconds(ms);
        if (Number(text) is { } seconds and < MostSeconds)
            return TimeSpan.FromSeconds(seconds);
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date))
            return null;
        var wait = date - time.GetUtcNow();
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    private static double? Number(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= 0
            ? number
            : null;
}
