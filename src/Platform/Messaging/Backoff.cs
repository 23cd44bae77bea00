namespace Verbatim.Platform.Messaging;

/// <summary>The pauses between attempts: three times longer each, up to half a minute, and never quite the same for two that failed together.</summary>
internal static class Backoff
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>The pause after so many failures, 1 or more: between three quarters of its length and all of it.</summary>
    public static TimeSpan After(int failures)
    {
        var whole = Math.Min(
            Longest.TotalMilliseconds,
            First.TotalMilliseconds * Math.Pow(3, Math.Min(failures - 1, 10))
        );
        return TimeSpan.FromMilliseconds(whole * (0.75 + Random.Shared.NextDouble() / 4));
    }
}
