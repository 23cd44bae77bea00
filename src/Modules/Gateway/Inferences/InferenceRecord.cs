using System.Text;
using System.Text.Json;
using System.Text.Unicode;
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

    /// <summary>A statement for the transaction of a whole answer, from that answer and where it came from; null for none.</summary>
    public Func<ReadOnlyMemory<byte>, Guid, SqlWrite?>? Also { get; init; }

    /// <summary>The provider answered in full.</summary>
    public Task CompleteAsync(InferenceDispatch dispatch, UpstreamAttempt answered)
    {
        var also =
            Also is not null && BytesOf(answered) is { } answer ? Also(answer, answered.Deployment.Settings.Id) : null;
        return SettleAsync(
            new InferenceCompleted(
                AttemptsOf(dispatch, null),
                UsageOf(answered),
                CostOf(answered),
                LatencyOf(answered),
                DigestOf(answered),
                ResponseOf(answered)
            ),
            also
        );
    }

    /// <summary>There is no full answer.</summary>
    /// <param name="dispatch">The tries.</param>
    /// <param name="last">The one that the caller hears of.</param>
    /// <param name="failure">What happened to it.</param>
    /// <param name="status">What the caller was given.</param>
    public Task FailAsync(InferenceDispatch dispatch, UpstreamAttempt last, AttemptFailure failure, int status) =>
        SettleAsync(
            new InferenceFailed(
                new InferenceError(failure.Code, status, failure.Message),
                AttemptsOf(dispatch, (last, failure)),
                UsageOf(last),
                CostOf(last),
                LatencyOf(last),
                DigestOf(last),
                ResponseOf(last)
            )
        );

    /// <summary>The caller went away.</summary>
    /// <param name="dispatch">The tries.</param>
    /// <param name="begun">The one that was being relayed; null when none had begun.</param>
    public Task CancelAsync(InferenceDispatch dispatch, UpstreamAttempt? begun) =>
        SettleAsync(
            new InferenceCancelled(
                AttemptsOf(dispatch, null),
                begun is null ? null : UsageOf(begun),
                begun is null ? null : CostOf(begun),
                LatencyOf(begun),
                begun is null ? null : DigestOf(begun),
                begun is null ? null : ResponseOf(begun)
            )
        );

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
        (UpstreamAttempt Attempt, AttemptFailure Failure)? broken
    ) =>
        [
            .. dispatch.Attempts.Select(a => new Attempt(
                a.Number,
                a.Deployment.Name,
                Providers.ProviderKinds.NameOf(a.Deployment.Provider.Kind),
                a.Status,
                a.UpstreamRequestId,
                a.DurationMs,
                a.Failure?.Code ?? (broken?.Attempt == a ? broken.Value.Failure.Code : null)
            )),
        ];

    private static Usage? UsageOf(UpstreamAttempt attempt) =>
        attempt.Usage is { } u
            ? new Usage(u.Prompt, u.Completion, u.Total, u.Cached, u.CacheWritten, u.Reasoning, Estimated: false)
            : null;

    // By the deployment that answered, whose settings it has kept since the call came, and by the price that held then.
    private decimal? CostOf(UpstreamAttempt attempt) =>
        Pricing.CostOf(
            attempt.Deployment.Settings.Prices,
            UsageOf(attempt),
            time.GetUtcNow() - time.GetElapsedTime(arrival)
        );

    private Latency LatencyOf(UpstreamAttempt? attempt) =>
        new(attempt?.FirstByteAt is { } first ? Milliseconds(first) : null, Milliseconds(time.GetTimestamp()));

    private double Milliseconds(long timestamp) =>
        Math.Round(time.GetElapsedTime(arrival, timestamp).TotalMilliseconds, 3);

    private RawJson? ResponseOf(UpstreamAttempt attempt) =>
        recording == RecordingLevel.Full
            ? BytesOf(attempt) is { } bytes
                ? new RawJson(bytes)
                : null
            : null;

    // Sound and images are not kept either.
    private BodyDigest? DigestOf(UpstreamAttempt attempt) =>
        BytesOf(attempt) is { } bytes
            ? recording == RecordingLevel.Metadata
                ? BodyDigest.Of(bytes.Span)
                : null
            : attempt is { IsRaw: true, Failure: null }
                ? BodyDigest.Of(attempt.Answer.Span)
                : null;

    // Whatever came, as JSON: the answer of a stream put together, a body that is JSON as it is, any other as a string.
    private static ReadOnlyMemory<byte>? BytesOf(UpstreamAttempt attempt)
    {
        if (attempt.Stream is { } stream)
            return stream.Chunks > 0 ? new ReadOnlyMemory<byte>(stream.ToArray()) : null;
        if (attempt.Failure is null)
            return attempt.IsRaw && !IsJson(attempt.Answer.Span) ? null : attempt.Answer;
        if (attempt.Body.IsEmpty)
            return null;
        return IsJson(attempt.Body.Span)
            ? attempt.Body.ToArray()
            : JsonSerializer.SerializeToUtf8Bytes(Encoding.UTF8.GetString(attempt.Body.Span));
    }

    private static bool IsJson(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body))
            return false;
        try
        {
            var reader = new Utf8JsonReader(body);
            while (reader.Read()) { }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
