using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>
/// One recorded call on its way: tries its deployments, relays the answer as bytes, and settles the record exactly once, before the last byte is
/// written.
/// </summary>
/// <param name="order">What is asked for.</param>
/// <param name="dispatch">Its tries.</param>
/// <param name="sink">Where the answer goes.</param>
/// <param name="record">Makes the outcome durable.</param>
/// <param name="heartbeats">Keep a silent stream's connection alive.</param>
internal sealed class InferenceCall(
    InferenceOrder order,
    InferenceDispatch dispatch,
    IAnswerSink sink,
    InferenceRecord record,
    StreamHeartbeats heartbeats
)
{
    private UpstreamAttempt? _begun;
    private bool _streamHasBegun;

    /// <summary>Caller and provider do not notice each other's end: what was paid for is taken to the end and recorded.</summary>
    public bool Drains { get; init; }

    private bool CallerIsGone => sink.Aborted.IsCancellationRequested;

    public async Task RunAsync()
    {
        try
        {
            var attempt = await dispatch.RunAsync();
            if (attempt.Failure is { } failure)
            {
                await FailAsync(attempt, failure);
                return;
            }
            _begun = attempt;
            if (attempt.Raw is { } raw)
                await RelayRawAsync(attempt, raw);
            else if (attempt.Stream is null)
                await AnswerWholeAsync(attempt);
            else
                await RelayStreamAsync(attempt);
        }
        catch (AttemptException e)
        {
            await BreakOffAsync(e.Failure);
        }
        catch (Exception e)
            when ((CallerIsGone || record.IsSettled)
                && e is OperationCanceledException or IOException or HttpRequestException
            )
        {
            // Behind the record there is only the caller's own connection; what is lost there adds nothing to it.
            if (!record.IsSettled)
                await record.CancelAsync(dispatch, _begun);
        }
        catch (LogUnavailableException) when (_streamHasBegun)
        {
            // The stream has begun, so the one place that answers exceptions comes too late.
            await EndWithErrorAsync(
                order.Wire.Dialect.From(
                    new HttpError(
                        503,
                        "database-unavailable",
                        "The outcome cannot be recorded now, so the answer is not finished."
                    )
                )
            );
        }
        catch when (!record.IsSettled)
        {
            // Nobody has foreseen it. The call does not stay open for it, and a stream tells it where it stands.
            await record.FailAsync(
                dispatch,
                _begun,
                AttemptFailure.Fault,
                _streamHasBegun ? 200 : AttemptFailure.Fault.Status
            );
            if (_streamHasBegun)
                await EndWithErrorAsync(WireErrorOf(AttemptFailure.Fault));
            throw;
        }
    }

    private async Task AnswerWholeAsync(UpstreamAttempt attempt)
    {
        // Whoever reads it slowly keeps no place at the deployment.
        attempt.End();
        if (CallerIsGone)
        {
            await record.CancelAsync(dispatch, attempt);
            return;
        }
        await record.CompleteAsync(dispatch, attempt);
        Begin(attempt, attempt.Status!.Value, attempt.Answer.Length);
        await sink.Writer.WriteAsync(attempt.Answer, sink.Aborted);
    }

    private async Task RelayStreamAsync(UpstreamAttempt attempt)
    {
        Begin(attempt, attempt.Status!.Value, length: null);
        _streamHasBegun = true;
        await using (var turn = heartbeats.Keep(sink, order.Wire))
        {
            while (await attempt.ReadAsync())
                await PassOnAsync(attempt, turn);
        }
        attempt.End();

        if (CallerIsGone)
        {
            await record.CancelAsync(dispatch, attempt);
            return;
        }
        if (attempt.Stream!.Error is { } error)
            await record.FailAsync(dispatch, attempt, AttemptFailure.InStream(error.Status), status: 200);
        else if (attempt.Stream.IsComplete)
            await record.CompleteAsync(dispatch, attempt);
        else
            throw new AttemptException(AttemptFailure.Incomplete);
        sink.Writer.Write(attempt.HeldBack);
        await sink.Writer.FlushAsync(sink.Aborted);
    }

    // What is no JSON has no place for an error, nor for a heartbeat: when it breaks off, so does the connection.
    private async Task RelayRawAsync(UpstreamAttempt attempt, RawAnswer raw)
    {
        Begin(attempt, attempt.Status!.Value, raw.Length);
        _streamHasBegun = true;
        while (await attempt.ReadAsync())
        {
            if (Drains && CallerIsGone)
            {
                attempt.WriteTo(new ArrayBufferWriter<byte>());
                continue;
            }
            attempt.WriteTo(sink.Writer);
            try
            {
                if (sink.Writer.UnflushedBytes > 0)
                    await sink.Writer.FlushAsync(sink.Aborted);
            }
            catch (OperationCanceledException) when (Drains)
            {
                continue;
            }
            if (!Drains)
                sink.Aborted.ThrowIfCancellationRequested();
        }
        attempt.End();
        if (CallerIsGone)
        {
            await record.CancelAsync(dispatch, attempt);
            return;
        }
        await record.CompleteAsync(dispatch, attempt);
        sink.Writer.Write(attempt.HeldBack);
        await sink.Writer.FlushAsync(sink.Aborted);
    }

    private async ValueTask PassOnAsync(UpstreamAttempt attempt, StreamTurn turn)
    {
        if (Drains && CallerIsGone)
        {
            attempt.WriteTo(new ArrayBufferWriter<byte>());
            return;
        }
        await turn.TakeAsync();
        try
        {
            attempt.WriteTo(sink.Writer);
            if (sink.Writer.UnflushedBytes > 0)
                await sink.Writer.FlushAsync(sink.Aborted);
        }
        catch (OperationCanceledException) when (Drains)
        {
            return;
        }
        finally
        {
            turn.Leave();
        }
        if (!Drains)
            sink.Aborted.ThrowIfCancellationRequested();
    }

    private async Task FailAsync(UpstreamAttempt attempt, AttemptFailure failure)
    {
        await record.FailAsync(dispatch, attempt, failure, failure.Status);
        if (failure.Code == "upstream-error" && attempt.Stream?.Error is { } error)
            await sink.FailAsync(AnswerErrors.For(order.Wire.Operation, error));
        else if (failure.Code != "upstream-status")
        {
            if (failure.RetryAfter is { } wait)
                sink.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            await sink.FailAsync(WireErrorOf(failure));
        }
        else if (attempt.Translation is { } translation)
        {
            AddHeaders(attempt);
            await sink.FailAsync(translation.TranslateError(attempt.Status!.Value, attempt.Body.Span));
        }
        else
        {
            Begin(attempt, attempt.Status!.Value, attempt.Body.Length);
            await sink.Writer.WriteAsync(attempt.Body, sink.Aborted);
        }
    }

    // An answer that has begun breaks off.
    private async Task BreakOffAsync(AttemptFailure failure)
    {
        await record.FailAsync(dispatch, _begun!, failure, status: 200);
        await EndWithErrorAsync(WireErrorOf(failure));
    }

    private async Task EndWithErrorAsync(WireError error)
    {
        if (_begun!.Raw is not null)
        {
            sink.Abort();
            return;
        }
        order.Wire.Dialect.WriteEvent(sink.Writer, error, record.RequestId, _begun!.Stream!.Chunks);
        await sink.Writer.FlushAsync(sink.Aborted);
    }

    private void Begin(UpstreamAttempt attempt, int status, long? length)
    {
        AddHeaders(attempt);
        sink.Begin(status, attempt.ContentType, length);
    }

    private void AddHeaders(UpstreamAttempt attempt)
    {
        foreach (var (name, value) in attempt.Headers)
            sink.Headers[name] = value;
        // Clients that are told nothing come back at once, and for ever.
        if (attempt.Status == StatusCodes.Status429TooManyRequests && !sink.Headers.ContainsKey("Retry-After"))
            sink.Headers.RetryAfter = "1";
    }

    private WireError WireErrorOf(AttemptFailure failure) =>
        order.Wire.Dialect.From(new HttpError(failure.Status, failure.Code, failure.Message));
}
