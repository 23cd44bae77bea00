using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Inferences;

/// <summary>An answer over HTTP.</summary>
internal sealed class HttpAnswer(HttpContext http, WireDialect dialect) : IAnswerSink
{
    public CancellationToken Aborted => http.RequestAborted;

    public IHeaderDictionary Headers => http.Response.Headers;

    public PipeWriter Writer => http.Response.BodyWriter;

    public void Begin(int status, string contentType, long? length)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = contentType;
        if (dialect.RequestIdHeader is { } header)
            http.Response.Headers[header] = RequestId.Of(http);
        if (length is not null)
        {
            http.Response.ContentLength = length;
            return;
        }
        http.Response.Headers.CacheControl = "no-cache";
        // nginx would otherwise collect the events before it passes them on.
        http.Response.Headers["X-Accel-Buffering"] = "no";
    }

    public void Abort() => http.Abort();

    public Task FailAsync(WireError error) => dialect.WriteAsync(http, error);
}
