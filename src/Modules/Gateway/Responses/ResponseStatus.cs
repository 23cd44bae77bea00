namespace Verbatim.Modules.Gateway.Responses;

/// <summary>How a response stands (OpenAI's API reference, "The response object", <c>status</c>).</summary>
internal enum ResponseStatus
{
    Queued,
    InProgress,
    Completed,
    Incomplete,
    Failed,
    Cancelled,
}

/// <summary>The words for them.</summary>
internal static class ResponseStatuses
{
    public static string NameOf(ResponseStatus status) =>
        status switch
        {
            ResponseStatus.Queued => "queued",
            ResponseStatus.InProgress => "in_progress",
            ResponseStatus.Completed => "completed",
            ResponseStatus.Incomplete => "incomplete",
            ResponseStatus.Failed => "failed",
            _ => "cancelled",
        };

    /// <summary>Nothing will change any more.</summary>
    public static bool IsFinal(this ResponseStatus status) =>
        status is not (ResponseStatus.Queued or ResponseStatus.InProgress);

    /// <summary>The type of the event that ends its stream. A cancelled one has no event of its own: it ends as a failed one, and says in it that it was cancelled.</summary>
    public static string LastEventOf(ResponseStatus status) =>
        status switch
        {
            ResponseStatus.Completed => "response.completed",
            ResponseStatus.Incomplete => "response.incomplete",
            _ => "response.failed",
        };
}
