using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Dispatch;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>Asks a provider about files, once: what was sent is not kept, so it cannot be sent again.</summary>
internal static class FileCalls
{
    /// <summary>The most of an answer that is read whole: a description of a file, or an error.</summary>
    public const int MaxAnswerBytes = 1024 * 1024;

    /// <summary>Sends a request and waits for the head of the answer.</summary>
    /// <returns>The answer, whatever its status; or why there is none.</returns>
    /// <exception cref="OperationCanceledException">The caller has gone.</exception>
    public static async Task<FileReply> AskAsync(
        Provider provider,
        HttpRequestMessage request,
        IHeaderDictionary? callerHeaders,
        SilenceWatch watch
    )
    {
        if (callerHeaders is not null && ForwardedHeaders.Refuse(callerHeaders) is { } refusal)
            return new FileReply(Response: null, new AttemptFailure(refusal.Code, refusal.Status, refusal.Message));
        watch.Begin();
        try
        {
            var response = await provider.SendAsync(request, callerHeaders, watch.Ended);
            if (response.StatusCode != HttpStatusCode.Unauthorized)
                return new FileReply(response, Failure: null);
            response.Dispose();
            return new FileReply(Response: null, AttemptFailure.CredentialRefused);
        }
        catch (OperationCanceledException) when (watch.IsSilent)
        {
            return new FileReply(Response: null, AttemptFailure.Late);
        }
        catch (OperationCanceledException) when (!watch.Ended.IsCancellationRequested)
        {
            // So a connection that was not made in time ends, and a form that is refused on its way.
            return new FileReply(Response: null, AttemptFailure.Unreachable);
        }
        catch (HttpRequestException e) when (!watch.Ended.IsCancellationRequested)
        {
            return new FileReply(
                Response: null,
                e.HttpRequestError
                    is HttpRequestError.ConnectionError
                        or HttpRequestError.NameResolutionError
                        or HttpRequestError.SecureConnectionError
                        or HttpRequestError.ProxyTunnelError
                    ? AttemptFailure.Unreachable
                    : AttemptFailure.Broken
            );
        }
        catch (IOException) when (!watch.Ended.IsCancellationRequested)
        {
            return new FileReply(Response: null, AttemptFailure.Broken);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // A connection that is cut by our own cancellation may say so in its own way.
            throw new OperationCanceledException(e.Message, e, watch.Ended);
        }
    }

    /// <summary>Reads an answer whole.</summary>
    /// <returns>Null when it breaks off, takes too long or is too large.</returns>
    /// <exception cref="OperationCanceledException">The caller has gone.</exception>
    public static async Task<byte[]?> ReadAsync(HttpResponseMessage response, SilenceWatch watch)
    {
        watch.Begin();
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(watch.Ended);
            using var body = new MemoryStream();
            var buffer = new byte[16 * 1024];
            int read;
            while ((read = await stream.ReadAsync(buffer, watch.Ended)) > 0)
            {
                if (body.Length + read > MaxAnswerBytes)
                    return null;
                body.Write(buffer, 0, read);
            }
            return body.ToArray();
        }
        catch (OperationCanceledException) when (watch.IsSilent)
        {
            return null;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            watch.Ended.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>Reads a JSON object; null for anything else.</summary>
    public static JsonDocument? Parse(byte[] body)
    {
        try
        {
            var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind == JsonValueKind.Object)
                return json;
            json.Dispose();
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Passes a provider's error on as it is: both sides speak the same wire.</summary>
    public static async Task RelayErrorAsync(
        HttpContext http,
        FileWire wire,
        HttpResponseMessage response,
        byte[]? body
    )
    {
        if (body is null)
        {
            await FailAsync(http, wire, AttemptFailure.Broken);
            return;
        }
        http.Response.StatusCode = (int)response.StatusCode;
        http.Response.ContentType = ContentTypeOf(response) ?? "application/json";
        http.Response.ContentLength = body.Length;
        if (HeaderText.Read(response.Headers, "Retry-After") is { } wait)
            http.Response.Headers.RetryAfter = wait;
        else if (response.StatusCode == HttpStatusCode.TooManyRequests)
            http.Response.Headers.RetryAfter = "1";
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    /// <summary>Answers with a failure of the way to the provider.</summary>
    public static Task FailAsync(HttpContext http, FileWire wire, AttemptFailure failure) =>
        wire.Dialect.WriteAsync(http, wire.Dialect.From(new HttpError(failure.Status, failure.Code, failure.Message)));

    /// <summary>The content type of an answer, as it is written.</summary>
    public static string? ContentTypeOf(HttpResponseMessage response) =>
        HeaderText.Read(response.Content.Headers, "Content-Type");
}

/// <summary>What came of asking a provider.</summary>
/// <param name="Response">Its answer, whatever the status.</param>
/// <param name="Failure">Why there is none.</param>
internal sealed record FileReply(HttpResponseMessage? Response, AttemptFailure? Failure) : IDisposable
{
    public void Dispose() => Response?.Dispose();
}
