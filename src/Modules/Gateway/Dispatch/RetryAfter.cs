using System.Globalization;

namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>Reads how long a provider asks to wait.</summary>
internal static class RetryAfter
{
    /// <summary>Seconds or a date (RFC 9110, 10.2.3); OpenAI and Azure also say it in milliseconds. Null where nothing is asked.</summary>
    public static TimeSpan? Of(HttpResponseMessage response, TimeProvider time)
    {
        if (
            HeaderOf(response, "retry-after-ms") is { } ms
            && double.TryParse(ms, NumberStyles.Float, CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds is >= 0 and < 86_400_000
        )
            return TimeSpan.FromMilliseconds(milliseconds);
        if (HeaderOf(response, "retry-after") is not { } text)
            return null;
        if (
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            && seconds is >= 0 and < 86_400
        )
            return TimeSpan.FromSeconds(seconds);
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date))
            return null;
        var wait = date - time.GetUtcNow();
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    private static string? HeaderOf(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;
}
