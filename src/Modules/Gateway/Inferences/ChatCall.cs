using System.Buffers;
using System.Diagnostics;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Models;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>
/// One recorded call on its way: sends it to the deployment, relays the answer as bytes, and settles the record exactly once, before the last
/// byte is written.
/// </summary>
/// <param name="http">The caller's request.</param>
/// <param name="request">Its body, read.</param>
/// <param name="deployment">Where it goes.</param>
/// <param name="settle">Makes the outcome durable.</param>
/// <param name="time">Measures the provider's silence.</param>
/// <param name="arrival">When the request came, as <see cref="Stopwatch.GetTimestamp"/> tells it.</param>
internal sealed class ChatCall(
    HttpContext http,
    ChatRequest request,
    Deployment deployment,
    Func<IEvent, Task> settle,
    TimeProvider time,
    long arrival
) : IDisposable
{
    private const int ReadSize = 16 * 1024;
    private const int MaxAnswerBytes = 64 * 1024 * 1024;

    // What a provider may tell the caller about its answer. Its cookies, limits and account are not the caller's.
    private static readonly string[] RelayedHeaders =
    [
        "Retry-After",
        "openai-processing-ms",
        "openai-version",
        "openai-model",
    ];

    private readonly CancellationTokenSource _silence = new(Timeout.InfiniteTimeSpan, time);
    private CancellationTokenSource? _linked;
    private int? _upstreamStatus;
    private string? _upstreamRequestId;
    private double? _firstByteMs;
    private AnswerStream? _stream;
    private PooledBytes _answer;
    private PooledBytes _heldBack;
    private bool _isSettled;

    private CancellationToken Cancelled =>
        (_linked ??= CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, _silence.Token)).Token;

    private bool ClientIsGone => http.RequestAborted.IsCancellationRequested;

    public async Task RunAsync()
    {
        try
        {
            using var response = await SendAsync();
            if (request.Stream && response.IsSuccessStatusCode && IsEventStream(response))
                await RelayStreamAsync(response);
            else
                await RelayWholeAsync(response);
        }
        catch (Exception e)
            when ((ClientIsGone || _isSettled) && e is OperationCanceledException or IOException or HttpRequestException
            )
        {
            // Behind the record there is only the client's own connection; what is lost there adds nothing to it.
            if (!_isSettled)
                await SettleAsync(new InferenceCancelled(Attempts(), Usage(), Latency(), Response()));
        }
        catch (LogUnavailableException) when (_stream is not null)
        {
            // The stream has begun, so the one place that answers exceptions comes too late.
            await WriteErrorAsync(
                new HttpError(
                    503,
                    "database-unavailable",
                    "The outcome cannot be recorded now, so the answer is not finished."
                )
            );
        }
        catch (OperationCanceledException) when (_silence.IsCancellationRequested)
        {
            var what = _firstByteMs is null
                ? "did not begin its answer in time"
                : "stopped in the middle of its answer";
            await FailAsync(504, "upstream-timeout", $"The provider {what}.");
        }
        catch (HttpRequestException e)
            when (_firstByteMs is null && e.HttpRequestError != HttpRequestError.ResponseEnded)
        {
            await FailAsync(502, "upstream-unreachable", "The provider cannot be reached.");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            await FailAsync(502, "upstream-broken", "The provider's answer broke off.");
        }
    }

    public void Dispose()
    {
        _linked?.Dispose();
        _silence.Dispose();
        _stream?.Dispose();
        _answer.Dispose();
        _heldBack.Dispose();
    }

    private async Task<HttpResponseMessage> SendAsync()
    {
        var body = request.Body;
        if (request.NeedsRewrite(deployment.UpstreamModel, deployment.AskForUsage))
        {
            var rewritten = new ArrayBufferWriter<byte>(body.Length + 64);
            request.WriteUpstreamBody(rewritten, deployment.UpstreamModel, deployment.AskForUsage);
            body = rewritten.WrittenMemory;
        }
        _silence.CancelAfter(deployment.FirstByteTimeout);
        var response = await deployment.Client.SendChatAsync(body, Cancelled);
        _upstreamStatus = (int)response.StatusCode;
        if (response.Headers.NonValidated.TryGetValues("x-request-id", out var ids))
            _upstreamRequestId = ids.ToString();
        return response;
    }

    private async Task RelayWholeAsync(HttpResponseMessage response)
    {
        await using var upstream = await response.Content.ReadAsStreamAsync(Cancelled);
        await ReadWholeAsync(upstream);

        var isJson = TokenUsage.TryReadResponse(_answer.Span, out var usage);
        if (response.IsSuccessStatusCode && !isJson)
        {
            await FailAsync(502, "upstream-broken", "The provider answered with something that is not JSON.");
            return;
        }
        if (response.StatusCode == System.Net.HttpStatusCode.Unauthorized)
        {
            // Passed on, it would tell the caller that their own key is wrong.
            await FailAsync(
                502,
                "upstream-credential-refused",
                "The provider refused the gateway's credential for this model; tell your administrator."
            );
            return;
        }

        var status = (int)response.StatusCode;
        await SettleAsync(
            response.IsSuccessStatusCode
                ? new InferenceCompleted(Attempts(), Of(usage), Latency(), Response())
                : new InferenceFailed(
                    new InferenceError("upstream-status", status, $"The provider answered with the status {status}."),
                    Attempts(),
                    Of(usage),
                    Latency(),
                    Response()
                )
        );
        WriteHead(response);
        http.Response.ContentLength = _answer.Length;
        await http.Response.Body.WriteAsync(_answer.Memory, http.RequestAborted);
    }

    private async Task ReadWholeAsync(Stream upstream)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
        try
        {
            int read;
            while ((read = await ReadAsync(upstream, buffer)) > 0)
            {
                if (_answer.Length + read > MaxAnswerBytes)
                    throw new IOException("The provider's answer is too large.");
                _answer.Append(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task RelayStreamAsync(HttpResponseMessage response)
    {
        _stream = new ChatStream(request.IncludesUsage);
        using var events = new SseReader();
        await using var upstream = await response.Content.ReadAsStreamAsync(Cancelled);
        WriteHead(response);
        http.Response.Headers.CacheControl = "no-cache";
        // nginx would otherwise collect the events before it passes them on.
        http.Response.Headers["X-Accel-Buffering"] = "no";

        var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
        try
        {
            int read;
            while (!_stream.IsDone && (read = await ReadEventsAsync(upstream, buffer)) > 0)
            {
                events.Feed(buffer.AsMemory(0, read));
                while (events.TryRead(out var sse))
                    Relay(sse);
                if (http.Response.BodyWriter.UnflushedBytes > 0 || !http.Response.HasStarted)
                    await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
                http.RequestAborted.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (events.TryReadRemainder(out var remainder))
            Relay(remainder);

        if (_stream.HasError)
        {
            var error = new InferenceError("upstream-error", 200, "The provider sent an error in the stream.");
            await SettleAsync(new InferenceFailed(error, Attempts(), Usage(), Latency(), Response()));
        }
        else if (_stream.IsComplete)
        {
            await SettleAsync(new InferenceCompleted(Attempts(), Usage(), Latency(), Response()));
        }
        else
        {
            await FailAsync(502, "upstream-broken", "The provider's answer ended before it was complete.");
            return;
        }
        WriteHeldBack();
        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
    }

    // What completes the answer is held back: it is written once the outcome is on record. With [DONE] nothing more is read.
    private void Relay(in SseEvent sse)
    {
        var bytes = _stream!.Relay(sse);
        if (bytes.IsEmpty)
            return;
        WriteHeldBack();
        if (_stream.IsComplete)
            _heldBack.Set(bytes.Span);
        else
            http.Response.BodyWriter.Write(bytes.Span);
    }

    private void WriteHeldBack()
    {
        http.Response.BodyWriter.Write(_heldBack.Span);
        _heldBack.Truncate(0);
    }

    private async ValueTask<int> ReadEventsAsync(Stream upstream, Memory<byte> buffer)
    {
        try
        {
            return await ReadAsync(upstream, buffer);
        }
        catch (Exception e)
            when (_stream!.IsComplete
                && !ClientIsGone
                && e is OperationCanceledException or IOException or HttpRequestException
            )
        {
            // The answer is all there; how the connection ends behind it does not matter.
            return 0;
        }
    }

    private async ValueTask<int> ReadAsync(Stream upstream, Memory<byte> buffer)
    {
        var read = await upstream.ReadAsync(buffer, Cancelled);
        if (_firstByteMs is null)
            _firstByteMs = ElapsedMs();
        _silence.CancelAfter(deployment.IdleTimeout);
        return read;
    }

    private void WriteHead(HttpResponseMessage response)
    {
        http.Response.StatusCode = (int)response.StatusCode;
        http.Response.ContentType = response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var type)
            ? type.ToString()
            : MediaTypeNames.Application.Json;
        foreach (var name in RelayedHeaders)
        {
            if (response.Headers.NonValidated.TryGetValues(name, out var values))
                http.Response.Headers[name] = values.ToString();
        }
    }

    private async Task FailAsync(int status, string code, string message)
    {
        var error = new InferenceError(code, _stream is null ? status : StatusCodes.Status200OK, message);
        await SettleAsync(new InferenceFailed(error, Attempts(), Usage(), Latency(), Response()));
        await WriteErrorAsync(new HttpError(status, code, message));
    }

    // A stream that has begun carries its error as an event.
    private Task WriteErrorAsync(HttpError error) =>
        _stream is null
            ? OpenAiErrors.Dialect.WriteAsync(http, error)
            : OpenAiErrors.WriteInStreamAsync(http, OpenAiErrors.From(error));

    private Task SettleAsync(IEvent outcome)
    {
        _isSettled = true;
        return settle(outcome);
    }

    private Attempt[] Attempts() => [new Attempt(1, deployment.Name, _upstreamStatus, _upstreamRequestId, ElapsedMs())];

    private Usage? Usage() => Of(_stream?.Usage);

    private static Usage? Of(TokenUsage? usage) =>
        usage is { } u ? new Usage(u.Prompt, u.Completion, u.Total, u.Cached, u.Reasoning) : null;

    private Latency Latency() => new(_firstByteMs, ElapsedMs());

    // Whatever came, as JSON: the answer of a stream put together, a body that is JSON as it is, any other as a string.
    private RawJson? Response()
    {
        if (_stream is not null)
            return _stream.Chunks > 0 ? new RawJson(_stream.ToArray()) : null;
        if (_answer.Length == 0)
            return null;
        return TokenUsage.TryReadResponse(_answer.Span, out _)
            ? new RawJson(_answer.Span.ToArray())
            : new RawJson(JsonSerializer.SerializeToUtf8Bytes(Encoding.UTF8.GetString(_answer.Span)));
    }

    private double ElapsedMs() => Math.Round(Stopwatch.GetElapsedTime(arrival).TotalMilliseconds, 3);

    private static bool IsEventStream(HttpResponseMessage response) =>
        response.Content.Headers.ContentType?.MediaType is "text/event-stream";
}
