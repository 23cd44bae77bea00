using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi.Responses;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>
/// Answers with the events of a response that was made, or is made, in the background: first what is kept, then what comes, each once and in its
/// order, until the last. The instance that makes the response reads them as any other does.
/// </summary>
[Singleton]
internal sealed class FollowedResponse(
    OutputLog log,
    OutputSignals signals,
    ResponseEnds ends,
    IHostApplicationLifetime lifetime,
    TimeProvider time
)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan SilentAtMost = TimeSpan.FromSeconds(15);

    /// <summary>Answers.</summary>
    /// <param name="http">The request, whose answer has not begun.</param>
    /// <param name="access">What the caller reaches.</param>
    /// <param name="response">The response, found within that reach.</param>
    /// <param name="after">The number behind which events are wanted; -1 for all.</param>
    public async Task AnswerAsync(HttpContext http, Access access, StoredResponse response, int after)
    {
        http.Response.Headers[InferenceCalls.InferenceIdHeader] = response.InferenceId.ToString();
        http.Response.ContentType = "text/event-stream; charset=utf-8";
        http.Response.Headers.CacheControl = "no-cache";
        // nginx would otherwise collect the events before it passes them on.
        http.Response.Headers["X-Accel-Buffering"] = "no";
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(
            http.RequestAborted,
            lifetime.ApplicationStopping
        );
        try
        {
            await http.Response.StartAsync(leaving.Token);
            await FollowAsync(http, access, response, after, leaving.Token);
        }
        catch (Exception e)
            when (e is NpgsqlException || (e is OperationCanceledException && leaving.IsCancellationRequested))
        {
            // Cut, and not ended: the client is to come back, to another instance.
            http.Abort();
        }
    }

    private async Task FollowAsync(
        HttpContext http,
        Access access,
        StoredResponse response,
        int after,
        CancellationToken cancellationToken
    )
    {
        using var watch = signals.Begin(response.Id);
        var writer = http.Response.BodyWriter;
        var wroteAt = time.GetTimestamp();
        while (true)
        {
            // Taken before the look, so that what comes behind the look is not missed.
            var next = watch.Next;
            var page = await ReadAsync(access.TenantId, response, after, cancellationToken);
            foreach (var part in page.Parts)
            {
                Write(writer, part, after);
                // Where one asks for what is far ahead, nothing goes back.
                after = Math.Max(after, part.Last);
            }
            if (page.Parts.Count > 0)
            {
                wroteAt = time.GetTimestamp();
                await writer.FlushAsync(cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
            }
            if (page.IsLast)
                return;
            if (page.HasMore)
                continue;
            if (page.Parts.Count == 0 && await IsGoneAsync(access, response.Id, cancellationToken))
                return;
            if (time.GetElapsedTime(wroteAt) >= SilentAtMost)
            {
                wroteAt = time.GetTimestamp();
                writer.Write(": keep-alive\n\n"u8);
                await writer.FlushAsync(cancellationToken);
            }
            await watch.WaitAsync(next, LookAgain, cancellationToken);
        }
    }

    // A database that restarts is waited for: as long as those do who write.
    private async Task<OutputPage> ReadAsync(
        Guid tenantId,
        StoredResponse response,
        int after,
        CancellationToken cancellationToken
    )
    {
        var began = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await log.ReadAsync(tenantId, response, after, cancellationToken);
            }
            catch (NpgsqlException e) when (e.IsTransient && time.GetElapsedTime(began) < OutputLog.Patience)
            {
                await Task.Delay(OutputLog.RetryDelay, time, cancellationToken);
            }
        }
    }

    private async Task<bool> IsGoneAsync(Access access, string responseId, CancellationToken cancellationToken)
    {
        try
        {
            return await ends.EndIfLeftAsync(access, responseId, cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException { IsTransient: true } or LogUnavailableException)
        {
            // Asked again with the next look, which waits for the database.
            return false;
        }
    }

    private static void Write(IBufferWriter<byte> writer, OutputPart part, int after)
    {
        if (part.First > after)
        {
            writer.Write(part.Events.Span);
            return;
        }
        using var reader = new SseReader();
        reader.Feed(part.Events);
        while (reader.TryRead(out var sse))
        {
            if (ResponseEvents.NumberOf(sse.Data.Span) > after)
                writer.Write(sse.Raw.Span);
        }
    }
}
