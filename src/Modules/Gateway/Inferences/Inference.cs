using System.ComponentModel;
using Verbatim.Modules.Gateway.Responses;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>
/// One model call through the gateway: the intent, recorded before anything is sent to a provider, and what came of it. Two events as a rule, so
/// its state is folded when it is read.
/// </summary>
[StreamType("inference", Owner = nameof(UserId), Snapshot = SnapshotKind.Folded)]
internal sealed record Inference(
    InferenceStatus Status,
    string Wire,
    string Model,
    string Deployment,
    string Provider,
    bool Stream,
    Guid UserId,
    Guid? ProjectId,
    string? ClientRequestId,
    RecordingLevel Recording,
    InferenceError? Error,
    IReadOnlyList<Attempt>? Attempts,
    Usage? Usage,
    decimal? Cost,
    Latency? Latency,
    BodyDigest? RequestDigest,
    RawJson? Request,
    BodyDigest? ResponseDigest,
    RawJson? Response,
    bool IsResponseDeleted = false
) : IDocument<Inference>
{
    public static Inference Evolve(Inference? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, InferenceStarted e) => new Inference(
                InferenceStatus.Started,
                e.Wire,
                e.Model,
                e.Deployment,
                e.Provider,
                e.Stream,
                e.UserId,
                e.ProjectId,
                e.ClientRequestId,
                e.Recording,
                Error: null,
                Attempts: null,
                Usage: null,
                Cost: null,
                Latency: null,
                e.RequestDigest,
                e.Request,
                ResponseDigest: null,
                Response: null
            ),
            ({ IsOpen: true } inference, InferenceCompleted e) => inference.With(InferenceStatus.Completed, null, e),
            ({ IsOpen: true } inference, InferenceFailed e) => inference.With(InferenceStatus.Failed, e.Error, e),
            ({ IsOpen: true } inference, InferenceCancelled e) => inference.With(InferenceStatus.Cancelled, null, e),
            ({ Status: InferenceStatus.Started } inference, InferenceOutcomeLost) => inference with
            {
                Status = InferenceStatus.Unknown,
            },
            ({ Status: not InferenceStatus.Started } inference, ResponseDeleted) => inference with
            {
                IsResponseDeleted = true,
            },
            _ => throw new UnexpectedEventException(typeof(Inference), @event),
        };

    // An instance that was only taken for dead may still tell the outcome.
    private bool IsOpen => Status is InferenceStatus.Started or InferenceStatus.Unknown;

    private Inference With(InferenceStatus status, InferenceError? error, IInferenceOutcome outcome) =>
        this with
        {
            Status = status,
            Error = error,
            Attempts = outcome.Attempts,
            Usage = outcome.Usage,
            Cost = outcome.Cost,
            Latency = outcome.Latency,
            ResponseDigest = outcome.ResponseDigest,
            Response = outcome.Response,
        };
}

/// <summary>What became of a call.</summary>
// The descriptions are what a replay says at its end.
internal enum InferenceStatus
{
    [Description("Under way: no outcome is on record yet.")]
    Started,

    [Description("The provider answered in full.")]
    Completed,

    [Description("The provider, or the way to it, failed.")]
    Failed,

    [Description("The client went away, or cancelled a response in the background, before the end.")]
    Cancelled,

    [Description(
        "The instance that took the call ended before it could record an outcome: the provider may or may not have answered."
    )]
    Unknown,
}

/// <summary>The intent, durable before anything is sent.</summary>
/// <param name="Wire">The wire that the caller speaks: <c>openai.chat-completions</c>.</param>
/// <param name="Model">The model's name as the caller wrote it.</param>
/// <param name="Deployment">The deployment that was picked first; the attempts tell where the call went.</param>
/// <param name="Provider">What kind of provider it is at.</param>
/// <param name="Stream">The answer was wanted as a stream.</param>
/// <param name="UserId">The person, service account or client behind the credential; the credential itself is the event's actor.</param>
/// <param name="ProjectId">The project that the credential belongs to.</param>
/// <param name="Instance">The instance of the gateway that took the call.</param>
/// <param name="ClientRequestId">The client's own id of the request, from <c>x-client-request-id</c>.</param>
/// <param name="Recording">Whether the bodies are kept, or their digests only.</param>
/// <param name="RequestDigest">What identifies the body where it is not kept.</param>
/// <param name="Request">The body as it came, byte by byte.</param>
[EventType("gateway.inference-started", Version = 2)]
internal sealed record InferenceStarted(
    string Wire,
    string Model,
    string Deployment,
    string Provider,
    bool Stream,
    Guid UserId,
    Guid? ProjectId,
    Guid Instance,
    string? ClientRequestId,
    RecordingLevel Recording,
    BodyDigest? RequestDigest,
    [property: Personal(ByDay = true)] RawJson? Request
) : IEvent;

/// <summary>The provider answered in full. Durable before the caller has the last byte.</summary>
[EventType("gateway.inference-completed", Version = 2)]
internal sealed record InferenceCompleted(
    IReadOnlyList<Attempt> Attempts,
    Usage? Usage,
    decimal? Cost,
    Latency Latency,
    BodyDigest? ResponseDigest,
    [property: Personal(ByDay = true)] RawJson? Response
) : IInferenceOutcome;

/// <summary>There is no full answer. <c>Response</c> is what came: an error's body, or the part of a stream before it broke.</summary>
[EventType("gateway.inference-failed", Version = 2)]
internal sealed record InferenceFailed(
    InferenceError Error,
    IReadOnlyList<Attempt> Attempts,
    Usage? Usage,
    decimal? Cost,
    Latency Latency,
    BodyDigest? ResponseDigest,
    [property: Personal(ByDay = true)] RawJson? Response
) : IInferenceOutcome;

/// <summary>The client went away, or cancelled a response in the background, before the end. <c>Response</c> is what had been produced.</summary>
[EventType("gateway.inference-cancelled", Version = 2)]
internal sealed record InferenceCancelled(
    IReadOnlyList<Attempt> Attempts,
    Usage? Usage,
    decimal? Cost,
    Latency Latency,
    BodyDigest? ResponseDigest,
    [property: Personal(ByDay = true)] RawJson? Response
) : IInferenceOutcome;

/// <summary>What every end of a call tells.</summary>
internal interface IInferenceOutcome : IEvent
{
    /// <summary>Every try at a provider, in their order; empty when nothing was sent.</summary>
    IReadOnlyList<Attempt> Attempts { get; }

    /// <summary>The tokens of the try that was answered with; null when nobody counted.</summary>
    Usage? Usage { get; }

    /// <summary>What it cost by the deployment's prices, in US dollars; null without prices or usage.</summary>
    decimal? Cost { get; }

    /// <summary>How long it took.</summary>
    Latency Latency { get; }

    /// <summary>What identifies the answer where it is not kept.</summary>
    BodyDigest? ResponseDigest { get; }

    /// <summary>The answer in the caller's wire; of a stream, put together.</summary>
    RawJson? Response { get; }
}

/// <summary>The instance that took the call is gone, and has left no outcome.</summary>
[EventType("gateway.inference-outcome-lost")]
internal sealed record InferenceOutcomeLost(Guid Instance) : IEvent;

/// <summary>Why there is no full answer.</summary>
/// <param name="Code">Stable: <c>upstream-status</c>, <c>upstream-unreachable</c>, <c>upstream-timeout</c>, <c>upstream-broken</c>.</param>
/// <param name="Status">The HTTP status that the caller was given, or 200 when the answer had begun.</param>
/// <param name="Message">One sentence.</param>
internal sealed record InferenceError(string Code, int Status, string Message);

/// <summary>One try at a provider.</summary>
/// <param name="Number">1 for the first.</param>
/// <param name="Deployment">Where it was tried.</param>
/// <param name="Provider">What kind of provider that is.</param>
/// <param name="Status">The provider's HTTP status, or null if none came.</param>
/// <param name="UpstreamRequestId">The provider's id of the request, from its <c>x-request-id</c> or <c>request-id</c>.</param>
/// <param name="DurationMs">Milliseconds until it ended.</param>
/// <param name="Failure">Why it brought no answer, which is why another followed: <c>upstream-status</c>, <c>circuit-open</c> …; null when it did.</param>
internal sealed record Attempt(
    int Number,
    string Deployment,
    string? Provider,
    int? Status,
    string? UpstreamRequestId,
    double DurationMs,
    string? Failure
);

/// <summary>The tokens of a call. What is not known is null, which is not zero.</summary>
/// <param name="InputTokens">All of the input, what was read from or written to a cache included.</param>
/// <param name="OutputTokens">All of the output, reasoning included.</param>
/// <param name="TotalTokens">As the provider says, even if it is not the sum.</param>
/// <param name="CachedInputTokens">Of the input, what was read from a cache.</param>
/// <param name="CacheWriteTokens">Of the input, what was written to a cache.</param>
/// <param name="ReasoningTokens">Of the output, what the model thought.</param>
/// <param name="Estimated">The provider did not count: the gateway did.</param>
internal sealed record Usage(
    long? InputTokens,
    long? OutputTokens,
    long? TotalTokens,
    long? CachedInputTokens,
    long? CacheWriteTokens,
    long? ReasoningTokens,
    bool Estimated
);

/// <summary>How much of a call is kept.</summary>
public enum RecordingLevel
{
    /// <summary>The bodies of request and answer, sealed.</summary>
    Full,

    /// <summary>Everything but the bodies: of these a digest.</summary>
    Metadata,
}

/// <summary>What identifies a body that is not kept: who has it can prove that it is the one.</summary>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Its SHA-256, in lower-case hexadecimal.</param>
internal sealed record BodyDigest(long Bytes, string Sha256)
{
    public static BodyDigest Of(ReadOnlySpan<byte> body) =>
        new(body.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(body)));
}

/// <summary>Milliseconds from the arrival of the request.</summary>
/// <param name="FirstByteMs">Until the first byte of the provider's answer, or null if there was none.</param>
/// <param name="TotalMs">Until the answer was complete.</param>
internal sealed record Latency(double? FirstByteMs, double TotalMs);
