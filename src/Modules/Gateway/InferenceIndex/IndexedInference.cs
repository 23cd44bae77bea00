using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>A row for a call that has begun.</summary>
internal sealed class IndexedInference
{
    public required Guid TenantId { get; init; }
    public required Guid Id { get; init; }
    public required long Version { get; set; }
    public required DateTime StartedAt { get; init; }
    public required Guid UserId { get; init; }
    public required Guid? ApiKeyId { get; init; }
    public required Guid? ProjectId { get; init; }
    public required string Wire { get; init; }
    public required string Model { get; init; }
    public required string Deployment { get; init; }
    public required string Provider { get; init; }
    public required bool Stream { get; init; }
    public required RecordingLevel Recording { get; init; }
    public required string? ClientRequestId { get; init; }

    public WordSignature Words { get; } = new();

    /// <summary>The outcome, when it came in the same transaction.</summary>
    public IndexedOutcome? Outcome { get; set; }
}

/// <summary>What the outcome of a call adds to its row.</summary>
internal sealed class IndexedOutcome
{
    public required Guid TenantId { get; init; }
    public required Guid Id { get; init; }
    public required long Version { get; init; }
    public required DateTime EndedAt { get; init; }
    public required InferenceStatus Status { get; init; }

    /// <summary>Where the call went in the end; null when nothing was sent.</summary>
    public Attempt? Last { get; private set; }
    public int Attempts { get; private set; }
    public Usage? Usage { get; private set; }
    public decimal? Cost { get; private set; }
    public Latency? Latency { get; private set; }
    public InferenceError? Error { get; private set; }
    public WordSignature Words { get; } = new();

    public static IndexedOutcome Of(RecordedEvent recorded, InferenceStatus status) =>
        new()
        {
            TenantId = recorded.TenantId,
            Id = recorded.StreamId,
            Version = recorded.Version,
            EndedAt = recorded.Time.UtcDateTime,
            Status = status,
        };

    public void Tell(IInferenceOutcome outcome, InferenceError? error)
    {
        Last = outcome.Attempts.Count > 0 ? outcome.Attempts[^1] : null;
        (Attempts, Usage, Cost, Latency, Error) = (
            outcome.Attempts.Count,
            outcome.Usage,
            outcome.Cost,
            outcome.Latency,
            error
        );
    }
}
