using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>The outcome of one call, made durable once.</summary>
/// <param name="journal">Records.</param>
/// <param name="context">Who called, for which request.</param>
/// <param name="id">The inference.</param>
/// <param name="recording">Whether bodies are kept.</param>
/// <param name="time">Measures.</param>
/// <param name="arrival">When the request came, as <paramref name="time"/> tells it.</param>
internal sealed class InferenceRecord(
    InferenceJournal journal,
    AppendContext context,
    Guid id,
    RecordingLevel recording,
    TimeProvider time,
    long arrival
)
{
    /// <summary>The outcome is on record, or on its way there.</summary>
    public bool IsSettled { get; private set; }

    /// <summary>The request's id.</summary>
    public string RequestId => context.Correlation;

    /// <summary>A statement for the transaction of a whole answer, from that answer and the try that brought it; null for none.</summary>
    public Func<ReadOnlyMemory<byte>, UpstreamAttempt, SqlWrite?>? Also { get; init; }

    /// <summary>The provider answered in full.</summary>
    public Task CompleteAsync(InferenceDispatch dispatch, UpstreamAttempt answered)
    {
        var content = ContentOf(answered);
        return SettleAsync(
            new InferenceCompleted(
                AttemptsOf(dispatch),
                content.Usage,
                CostOf(answered, content.Usage),
                LatencyOf(answered),
                content.Digest,
                content.Kept
            ),
            content.Bytes is { } bytes ? Also?.Invoke(bytes, answered) : null
        );
    }

    /// <summary>Nobody was asked: the answer is an estimate of the gateway's own, and costs nothing.</summary>
    public Task EstimateAsync(byte[] answer) =>
        SettleAsync(
            new InferenceCompleted(
                [],
                new Usage(null, null, null, null, null, null, Estimated: true),
                Cost: null,
                LatencyOf(null),
                recording == RecordingLevel.Full ? null : BodyDigest.Of(answer),
                recording == RecordingLevel.Full ? new RawJson(answer) : null
            )
        );

    /// <summary>There is no full answer.</summary>
    /// <param name="dispatch">The tries.</param>
    /// <param name="last">The one that the caller hears of; null for none.</param>
    /// <param name="failure">What happened to it.</param>
    /// <param name="status">What the caller was given.</param>
    public Task FailAsync(InferenceDispatch dispatch, UpstreamAttempt? last, AttemptFailure failure, int status)
    {
        var content = ContentOf(last);
        return SettleAsync(
            new InferenceFailed(
                new InferenceError(failure.Code, status, failure.Message),
                AttemptsOf(dispatch, last, failure),
                content.Usage,
                CostOf(last, content.Usage),
                LatencyOf(last),
                content.Digest,
                content.Kept
            )
        );
    }

    /// <summary>The caller went away.</summary>
    /// <param name="dispatch">The tries.</param>
    /// <param name="begun">The one that was being relayed; null when none had begun.</param>
    public Task CancelAsync(InferenceDispatch dispatch, UpstreamAttempt? begun)
    {
        var content = ContentOf(begun);
        return SettleAsync(
            new InferenceCancelled(
                AttemptsOf(dispatch),
                content.Usage,
                CostOf(begun, content.Usage),
                LatencyOf(begun),
                content.Digest,
                content.Kept
            )
        );
    }

    /// <summary>Nothing could be sent.</summary>
    public Task RefuseAsync(AttemptFailure failure) =>
        SettleAsync(
            new InferenceFailed(
                new InferenceError(failure.Code, failure.Status, failure.Message),
                [],
                Usage: null,
                Cost: null,
                LatencyOf(null),
                ResponseDigest: null,
                Response: null
            )
        );

    private Task SettleAsync(IEvent outcome, SqlWrite? also = null)
    {
        IsSettled = true;
        return journal.FinishAsync(also is null ? context : context with { Also = also }, id, outcome);
    }

    private static Attempt[] AttemptsOf(
        InferenceDispatch dispatch,
        UpstreamAttempt? broken = null,
        AttemptFailure? failure = null
    ) =>
        [
            .. dispatch.Attempts.Select(a => new Attempt(
                a.Number,
                a.Deployment.Name,
                Providers.ProviderKinds.NameOf(a.Deployment.Provider.Kind),
                a.Status,
                a.UpstreamRequestId,
                a.DurationMs,
                a.Failure?.Code ?? (a == broken ? failure?.Code : null)
            )),
        ];

    private AnswerContent ContentOf(UpstreamAttempt? attempt) =>
        attempt is null ? default : AnswerContent.Of(attempt, recording);

    // By the deployment that answered, whose settings it has kept since the call came, and by the price that held then.
    private decimal? CostOf(UpstreamAttempt? attempt, Usage? usage) =>
        attempt is null
            ? null
            : Pricing.CostOf(
                attempt.Deployment.Settings.Prices,
                usage,
                time.GetUtcNow() - time.GetElapsedTime(arrival)
            );

    private Latency LatencyOf(UpstreamAttempt? attempt) =>
        new(attempt?.FirstByteAt is { } first ? Milliseconds(first) : null, Milliseconds(time.GetTimestamp()));

    private double Milliseconds(long timestamp) =>
        Math.Round(time.GetElapsedTime(arrival, timestamp).TotalMilliseconds, 3);
}
