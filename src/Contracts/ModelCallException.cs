namespace Verbatim.Contracts;

/// <summary>A model gave no full answer.</summary>
/// <remarks>
/// The message says what a log may say. What a provider said may repeat a part of the request, and is apart, in <see cref="ProviderMessage"/>.
/// </remarks>
public sealed class ModelCallException : Exception
{
    /// <summary>A call that was refused or failed.</summary>
    /// <param name="status">As HTTP would answer: 404 for a model that does not exist, 429 for a limit, 5xx for a provider's fault.</param>
    /// <param name="code">Stable, such as <c>model_not_found</c> or <c>upstream_timeout</c>; null where a provider gave none.</param>
    /// <param name="message">One sentence without any part of the request or the answer.</param>
    /// <param name="inner">What caused it.</param>
    public ModelCallException(int status, string? code, string message, Exception? inner = null)
        : base(message, inner)
    {
        Status = status;
        Code = code;
    }

    /// <summary>As HTTP would answer it.</summary>
    public int Status { get; }

    /// <summary>Stable and machine-readable, as on the OpenAI wire; null where a provider gave none.</summary>
    public string? Code { get; }

    /// <summary>The parameter at fault (<c>messages[2].content</c>), or null.</summary>
    public string? Parameter { get; init; }

    /// <summary>How long to wait before it is worth trying again; null when nobody said.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The call's record; null when it was refused before there was one.</summary>
    public Guid? InferenceId { get; init; }

    /// <summary>What the provider said, for the one who asked. Not for a log.</summary>
    public string? ProviderMessage { get; init; }

    /// <summary>The same request may succeed later. A budget that is used up is not cured by waiting.</summary>
    public bool IsTransient => Status is 408 or 409 or 425 or 429 or >= 500 && Code != "insufficient_quota";
}
