using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Inferences.History;

// From before a call could have several tries, a price, a project, or bodies that are not kept.

/// <summary>The intent.</summary>
[EventType("gateway.inference-started")]
internal sealed record InferenceStartedV1(
    string Wire,
    string Model,
    string Deployment,
    string Provider,
    bool Stream,
    Guid UserId,
    Guid Instance,
    string? ClientRequestId,
    [property: Personal] RawJson Request
) : IUpcast<InferenceStarted>
{
    public InferenceStarted Upcast() =>
        new(
            Wire,
            Model,
            Deployment,
            Provider,
            Stream,
            UserId,
            ProjectId: null,
            Instance,
            ClientRequestId,
            RecordingLevel.Full,
            RequestDigest: null,
            Request
        );
}

/// <summary>The provider answered in full.</summary>
[EventType("gateway.inference-completed")]
internal sealed record InferenceCompletedV1(
    IReadOnlyList<AttemptV1> Attempts,
    UsageV1? Usage,
    Latency Latency,
    [property: Personal] RawJson? Response
) : IUpcast<InferenceCompleted>
{
    public InferenceCompleted Upcast() =>
        new(AttemptV1.Upcast(Attempts), Usage?.Upcast(), Cost: null, Latency, ResponseDigest: null, Response);
}

/// <summary>There is no full answer.</summary>
[EventType("gateway.inference-failed")]
internal sealed record InferenceFailedV1(
    InferenceError Error,
    IReadOnlyList<AttemptV1> Attempts,
    UsageV1? Usage,
    Latency Latency,
    [property: Personal] RawJson? Response
) : IUpcast<InferenceFailed>
{
    public InferenceFailed Upcast() =>
        new(Error, AttemptV1.Upcast(Attempts), Usage?.Upcast(), Cost: null, Latency, ResponseDigest: null, Response);
}

/// <summary>The client went away before the end.</summary>
[EventType("gateway.inference-cancelled")]
internal sealed record InferenceCancelledV1(
    IReadOnlyList<AttemptV1> Attempts,
    UsageV1? Usage,
    Latency Latency,
    [property: Personal] RawJson? Response
) : IUpcast<InferenceCancelled>
{
    public InferenceCancelled Upcast() =>
        new(AttemptV1.Upcast(Attempts), Usage?.Upcast(), Cost: null, Latency, ResponseDigest: null, Response);
}

/// <summary>One try at a provider.</summary>
internal sealed record AttemptV1(
    int Number,
    string Deployment,
    int? Status,
    string? UpstreamRequestId,
    double DurationMs
)
{
    public static Attempt[] Upcast(IReadOnlyList<AttemptV1> attempts) =>
        [
            .. attempts.Select(a => new Attempt(
                a.Number,
                a.Deployment,
                Provider: null,
                a.Status,
                a.UpstreamRequestId,
                a.DurationMs,
                Failure: null
            )),
        ];
}

/// <summary>What the provider counted.</summary>
internal sealed record UsageV1(
    long? InputTokens,
    long? OutputTokens,
    long? TotalTokens,
    long? CachedInputTokens,
    long? ReasoningTokens
)
{
    public Usage Upcast() =>
        new(
            InputTokens,
            OutputTokens,
            TotalTokens,
            CachedInputTokens,
            CacheWriteTokens: null,
            ReasoningTokens,
            Estimated: false
        );
}
