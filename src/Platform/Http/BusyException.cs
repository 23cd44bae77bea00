namespace Verbatim.Platform.Http;

/// <summary>What was asked for cannot be done soon enough, so it was not begun: answered as 503 with <c>retry-after</c>.</summary>
/// <param name="retryAfter">When it is worth another try.</param>
public sealed class BusyException(TimeSpan retryAfter) : Exception("There is too much to do already.")
{
    /// <summary>When it is worth another try.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}
