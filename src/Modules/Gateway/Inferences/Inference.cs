using System.ComponentModel;
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
    string? ClientRequestId,
    InferenceError? Error,
    IReadOnlyList<Attempt>? Attempts,
    Usage? Usage,
    Latency? Latency,
    RawJson Request,
    RawJson? Response
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
                e.ClientRequestId,
                Error: null,
                Attempts: null,
                Usage: null,
                Latency: null,
                e.Request,
                Response: null
            ),
            ({ IsOpen: true } inference, InferenceCompleted e) => inference with
            {
                Status = InferenceStatus.Completed,
                Attempts = e.Attempts,
                Usage = e.Usage,
                Latency = e.Latency,
                Response = e.Response,
            },
            ({ IsOpen: true } inference, InferenceFailed e) => inference with
            {
                Status = InferenceStatus.Failed,
                Error = e.Error,
                Attempts = e.Attempts,
                Usage = e.Usage,
                Latency = e.Latency,
                Response = e.Response,
            },
            ({ IsOpen: true } inference, InferenceCancelled e) => inference with
            {
                Status = InferenceStatus.Cancelled,
                Attempts = e.Attempts,
                Usage = e.Usage,
                Latency = e.Latency,
                Response = e.Response,
            },
            ({ Status: InferenceStatus.Started } inference, InferenceOutcomeLost) => inference with
            {
                Status = InferenceStatus.Unknown,
            },
            _ => throw new UnexpectedEventException(typeof(Inference), @event),
        };

    // An instance that was only taken for dead may still tell the outcome.
    private bool IsOpen => Status is InferenceStatus.Started or InferenceStatus.Unknown;
}

// The descriptions are what a replay says at its end.
internal enum InferenceStatus
{
    [Description("Under way: no outcome is on record yet.")]
    Started,

    [Description("The provider answered in full.")]
    Completed,

    [Description("The provider, or the way to it, failed.")]
    Failed,

    [Description("The client went away before the end.")]
    Cancelled,

    [Description(
        "The instance that took the call ended before it could record an outcome: the provider may or may not have answered."
    )]
    Unknown,
}

/// <summary>The intent, durable before anything is sent.</summary>
/// <param name="Wire">The wire that the caller speaks: <c>openai.chat-completions</c>.</param>
/// <param name="Model">The model's name as the caller wrote it.</param>
/// <param name="Deployment">The deployment that was picked.</param>
/// <param name="Provider">What kind of provider it is at.</param>
/// <param name="Stream">The answer was wanted as a stream.</param>
/// <param name="UserId">The person behind the credential; the credential itself is the event's actor.</param>
/// <param name="Instance">The instance of the gateway that took the call.</param>
/// <param name="ClientRequestId">The client's own id of the request, from <c>x-client-request-id</c>.</param>
/// <param name="Request">The body as it came, byte by byte.</param>
[EventType("gateway.inference-started")]
internal sealed record InferenceStarted(
    string Wire,
    string Model,
    string Deployment,
    string Provider,
    bool Stream,
    Guid UserId,
    Guid Instance,
    string? ClientRequestId,
    [property: Personal] RawJson Request
) : IEvent;

/// <summary>The provider answered in full. Durable before the caller has the last byte.</summary>
[EventType("gateway.inference-completed")]
internal sealed record InferenceCompleted(
    IReadOnlyList<Attempt> Attempts,
    Usage? Usage,
    Latency Latency,
    [property: Personal] RawJson? Response
) : IEvent;

/// <summary>There is no full answer. <c>Response</c> is what came: an error's body, or the part of a stream before it broke.</summary>
[EventType("gateway.inference-failed")]
internal sealed record InferenceFailed(
    InferenceError Error,
    IReadOnlyList<Attempt> Attempts,
    Usage? Usage,
    Latency Latency,
    [property: Personal] RawJson? Response
) : IEvent;

/// <summary>The client went away before the end. <c>Response</c> is what had been produced.</summary>
[EventType("gateway.inference-cancelled")]
internal sealed record InferenceCancelled(
    IReadOnlyList<Attempt> Attempts,
    Usage? Usage,
    Latency Latency,
    [property: Personal] RawJson? Response
) : IEvent;

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
/// <param name="Status">The provider's HTTP status, or null if none came.</param>
/// <param name="UpstreamRequestId">The provider's id of the request, from its <c>x-request-id</c>.</param>
/// <param name="DurationMs">Milliseconds until it ended.</param>
internal sealed record Attempt(
    int Number,
    string Deployment,
    int? Status,
    string? UpstreamRequestId,
    double DurationMs
);

/// <summary>What the provider counted. What it did not say is null, which is not zero.</summary>
internal sealed record Usage(
    long? InputTokens,
    long? OutputTokens,
    long? TotalTokens,
    long? CachedInputTokens,
    long? ReasoningTokens
);

/// <summary>Milliseconds from the arrival of the request.</summary>
/// <param name="FirstByteMs">Until the first byte of the provider's answer, or null if there was none.</param>
/// <param name="TotalMs">Until the answer was complete.</param>
internal sealed record Latency(double? FirstByteMs, double TotalMs);
