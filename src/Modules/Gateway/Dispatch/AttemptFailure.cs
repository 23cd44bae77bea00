namespace Verbatim.Modules.Gateway.Dispatch;

/// <summary>Why a try at a provider brought no answer.</summary>
/// <param name="Code">
/// Stable: <c>upstream-status</c>, <c>upstream-unreachable</c>, <c>upstream-timeout</c>, <c>upstream-broken</c>, <c>upstream-error</c>,
/// <c>upstream-credential-refused</c>, <c>deployment-busy</c>, <c>circuit-open</c>, <c>superseded</c>,
/// <c>internal-error</c>.
/// </param>
/// <param name="Status">The status to answer the caller with.</param>
/// <param name="Message">One sentence for a person.</param>
internal sealed record AttemptFailure(string Code, int Status, string Message)
{
    /// <summary>Another deployment may do better.</summary>
    public bool MayHelpElsewhere { get; init; } = true;

    /// <summary>The same deployment may do better in a moment.</summary>
    public bool MayHelpAgain { get; init; }

    /// <summary>It says something about the provider's health.</summary>
    public bool IsTheProviders { get; init; }

    /// <summary>How long the provider asked to wait, where it did.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static readonly AttemptFailure Unreachable = new(
        "upstream-unreachable",
        502,
        "The provider cannot be reached."
    )
    {
        MayHelpAgain = true,
        IsTheProviders = true,
    };

    public static readonly AttemptFailure Broken = new("upstream-broken", 502, "The provider's answer broke off.")
    {
        MayHelpAgain = true,
        IsTheProviders = true,
    };

    public static readonly AttemptFailure Late = new(
        "upstream-timeout",
        504,
        "The provider did not begin its answer in time."
    )
    {
        IsTheProviders = true,
    };

    public static readonly AttemptFailure TooLong = new(
        "upstream-timeout",
        504,
        "The provider took longer for its answer than the deployment allows."
    )
    {
        IsTheProviders = true,
    };

    public static readonly AttemptFailure Stalled = new(
        "upstream-timeout",
        504,
        "The provider stopped in the middle of its answer."
    )
    {
        IsTheProviders = true,
    };

    public static readonly AttemptFailure Incomplete = new(
        "upstream-broken",
        502,
        "The provider's answer ended before it was complete."
    )
    {
        MayHelpAgain = true,
        IsTheProviders = true,
    };

    public static readonly AttemptFailure NotJson = new(
        "upstream-broken",
        502,
        "The provider answered with something that is not JSON."
    )
    {
        IsTheProviders = true,
    };

    public static readonly AttemptFailure CredentialRefused = new(
        "upstream-credential-refused",
        502,
        "The provider refused the gateway's credential for this model; tell your administrator."
    )
    {
        IsTheProviders = true,
    };

    public static readonly AttemptFailure Busy = new(
        "deployment-busy",
        429,
        "This model has as many calls as it takes, and as many waiting; try again in a moment."
    )
    {
        RetryAfter = TimeSpan.FromSeconds(1),
    };

    public static readonly AttemptFailure CircuitOpen = new(
        "circuit-open",
        503,
        "The provider has failed too often in the last seconds; it is asked again in a moment."
    )
    {
        RetryAfter = TimeSpan.FromSeconds(1),
    };

    public static readonly AttemptFailure NoneAvailable = new(
        "deployments-unavailable",
        503,
        "Every deployment of the model was resting; nothing was sent."
    );

    public static readonly AttemptFailure Superseded = new(
        "superseded",
        502,
        "Another deployment that was asked beside this one was faster."
    );

    public static readonly AttemptFailure Fault = new(
        "internal-error",
        500,
        "The server made a mistake with this call; its log has the details under the request's id."
    );

    /// <summary>The provider said in its stream that it failed.</summary>
    /// <param name="status">The status that a whole answer would have had.</param>
    public static AttemptFailure InStream(int status) =>
        status == 401
            ? CredentialRefused
            : OfStatus(status, retryAfter: null) with
            {
                Code = "upstream-error",
                Message = "The provider sent an error in the stream.",
            };

    /// <summary>The provider answered with a status that is no success.</summary>
    public static AttemptFailure OfStatus(int status, TimeSpan? retryAfter) =>
        status == 401
            ? CredentialRefused
            : new AttemptFailure("upstream-status", status, $"The provider answered with the status {status}.")
            {
                // What is wrong with the request is wrong everywhere; a model may be missing at one place only.
                MayHelpElsewhere = status is 403 or 404 or 408 or 409 or 425 or 429 or >= 500,
                MayHelpAgain = status is 408 or 409 or 425 or 429 or 500 or 502 or 503 or 504 or 529,
                IsTheProviders = status >= 500,
                RetryAfter = retryAfter,
            };
}
