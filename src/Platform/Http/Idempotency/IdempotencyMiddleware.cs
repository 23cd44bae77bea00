using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;

namespace Verbatim.Platform.Http.Idempotency;

/// <summary>
/// Makes every POST of the native API safe to repeat, without the endpoint doing anything: a request with an <c>Idempotency-Key</c>
/// (draft-ietf-httpapi-idempotency-key-header) is carried out once, and its repetitions get the first answer.
/// </summary>
internal sealed partial class IdempotencyMiddleware(
    RequestDelegate next,
    IdempotentRequests requests,
    IdSource ids,
    ILogger<IdempotencyMiddleware> logger
)
{
    public const string KeyHeader = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";
    public const int MaxKeyLength = 255;

    // Larger answers than any POST gives today are not kept; the request still happens once.
    private const int MaxAnswerBytes = 1024 * 1024;
    private const int BodyBuffer = 64 * 1024;
    private static readonly TimeSpan FinishPatience = TimeSpan.FromSeconds(5);

    internal static readonly HttpError InvalidKey = new(
        400,
        "idempotency-key-invalid",
        $"An Idempotency-Key has 1 to {MaxKeyLength} visible ASCII characters, and there is one; a fresh UUID is a good one."
    );

    internal static readonly HttpError KeyReused = new(
        422,
        "idempotency-key-reused",
        "This Idempotency-Key was used for another request in the last 24 hours; a new request needs a new key."
    );

    internal static readonly HttpError InProgress = new(
        409,
        "idempotency-in-progress",
        "A request with this Idempotency-Key is being carried out; repeat yours in a moment to get its answer."
    );

    internal static readonly HttpError AnswerLost = new(
        409,
        "idempotency-answer-lost",
        "This request was carried out and recorded, but its answer is not kept: the server failed before it could, or a person was erased since. It is not carried out again; "
            + "its events carry the request id of the first attempt."
    );

    private readonly ILogger<IdempotencyMiddleware> _logger = logger;

    /// <summary>The routes that are safe to repeat. Where anyone may come, as at a login, there is no one to keep an answer for.</summary>
    public static bool Covers(string method, string route, RouteScope? scope) =>
        HttpMethods.IsPost(method)
        && scope?.Scope is not null
        && route.AsSpan().TrimStart('/').StartsWith("api/", StringComparison.Ordinal);

    public Task InvokeAsync(HttpContext context)
    {
        var given = context.Request.Headers[KeyHeader];
        return
            given.Count > 0
            && context.GetEndpoint() is RouteEndpoint { RoutePattern.RawText: { } route } endpoint
            && Covers(context.Request.Method, route, endpoint.Metadata.GetMetadata<RouteScope>())
            ? InvokeOnceAsync(context, given, route)
            : next(context);
    }

    private async Task InvokeOnceAsync(HttpContext context, StringValues given, string route)
    {
        if (given is not [{ Length: > 0 and <= MaxKeyLength } key] || key.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            await Errors.WriteAsync(context, InvalidKey);
            return;
        }

        var caller = Caller.Of(context);
        var fingerprint = await FingerprintAsync(context.Request, context.RequestAborted);
        var request = new IdempotentRequest(caller.TenantId, caller.Actor, route, key, fingerprint);
        var start = await StartAsync(context, request);
        await (
            start switch
            {
                IdempotentStart.Begun(var attempt) => CarryOutAsync(context, attempt),
                IdempotentStart.Answered(var answer) => ReplayAsync(context, answer),
                IdempotentStart.KeyReused => Errors.WriteAsync(context, KeyReused),
                IdempotentStart.AnswerLost(var requestId) => Errors.WriteAsync(
                    context,
                    AnswerLost with
                    {
                        Message = $"{AnswerLost.Message[..^1]}, {requestId}.",
                    }
                ),
                _ => RefuseForNowAsync(context),
            }
        );
    }

    private async Task<IdempotentStart> StartAsync(HttpContext context, IdempotentRequest request)
    {
        var attempt = ids.New();
        try
        {
            return await requests.StartAsync(request, attempt, RequestId.Of(context), context.RequestAborted);
        }
        catch (Exception e) when (!Failure.IsOfConnecting(e))
        {
            // Its row may be there all the same: the client left, or the answer was lost, when it was inserted already.
            await TryAsync(requests.ReleaseAsync, attempt);
            throw;
        }
    }

    private async Task CarryOutAsync(HttpContext context, Guid attempt)
    {
        context.Features.Set(new IdempotentAttempt(attempt));
        var client = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var held = new HeldResponseBody();
        context.Features.Set<IHttpResponseBodyFeature>(held);
        var isKept = false;
        byte[] body;
        try
        {
            await next(context);
            await held.CompleteAsync();
            body = held.ToArray();
            isKept = await TryKeepAsync(context.Response, attempt, body);
        }
        catch (PostgresException e) when (e.SqlState == IdempotentRequests.Superseded)
        {
            // This instance was silent for so long that it was taken for dead. Nothing of this execution was stored.
            context.Features.Set(client);
            await RefuseForNowAsync(context);
            return;
        }
        finally
        {
            context.Features.Set(client);
            if (!isKept)
                await TryAsync(requests.ReleaseAsync, attempt);
        }
        if (body.Length > 0)
        {
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    // Kept before it is sent: a client that repeats the request because this answer did not reach it must find it.
    private async Task<bool> TryKeepAsync(HttpResponse response, Guid attempt, byte[] body)
    {
        if (response.StatusCode >= StatusCodes.Status500InternalServerError || body.Length > MaxAnswerBytes)
            return false;
        var answer = IdempotentAnswer.Of(response, body);
        return await TryAsync((id, cancellationToken) => requests.FinishAsync(id, answer, cancellationToken), attempt);
    }

    // Whatever became of the client: no token of the request. The answer goes out even if it cannot be kept.
    private async Task<bool> TryAsync(Func<Guid, CancellationToken, Task> act, Guid attempt)
    {
        using var patience = new CancellationTokenSource(FinishPatience);
        try
        {
            await act(attempt, patience.Token);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            LogNotKept(e.Message);
            return false;
        }
    }

    private static Task ReplayAsync(HttpContext context, IdempotentAnswer answer)
    {
        context.Response.Headers[ReplayedHeader] = "true";
        return answer.SendAsync(context);
    }

    private static Task RefuseForNowAsync(HttpContext context)
    {
        context.Response.Headers.RetryAfter = "1";
        return Errors.WriteAsync(context, InProgress);
    }

    private static async Task<byte[]> FingerprintAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        request.EnableBuffering();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Path}{request.QueryString}\n"));
        var buffer = new byte[BodyBuffer];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, cancellationToken)) > 0)
            hash.AppendData(buffer.AsSpan(0, read));
        request.Body.Position = 0;
        return hash.GetHashAndReset();
    }

    [LoggerMessage(LogLevel.Warning, "The answer to a request with an idempotency key could not be kept ({Reason})")]
    private partial void LogNotKept(string reason);
}

/// <summary>The execution of a request that must happen once: a feature of the request.</summary>
internal sealed record IdempotentAttempt(Guid Id);
