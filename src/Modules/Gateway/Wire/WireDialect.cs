using System.Buffers;
using System.Net.Mime;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Wire;

/// <summary>How a model wire says that something went wrong, before an answer and in the middle of a stream.</summary>
internal abstract class WireDialect : IErrorDialect
{
    /// <summary>How errors are written: readable, as providers do.</summary>
    protected static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <summary>The group of its routes in the API's description.</summary>
    public abstract string Tag { get; }

    /// <inheritdoc/>
    public string ContentType => MediaTypeNames.Application.Json;

    /// <inheritdoc/>
    public abstract PathString Prefix { get; }

    /// <summary>Where this wire's clients look for the request's id, beside <c>x-request-id</c>; null for nowhere else.</summary>
    public virtual string? RequestIdHeader => null;

    /// <summary>A model that does not exist or that the caller may not use.</summary>
    public abstract WireError ModelNotFound(string model);

    /// <summary>What the server's own error is on this wire.</summary>
    public abstract WireError From(HttpError error);

    /// <inheritdoc/>
    public abstract object Describe(HttpError error);

    /// <summary>Writes the error as a JSON object.</summary>
    public abstract void Write(IBufferWriter<byte> writer, WireError error, string requestId);

    /// <summary>Writes the error as an event of a stream that has begun.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="error">What went wrong.</param>
    /// <param name="requestId">The request's id.</param>
    /// <param name="sequence">The number of the event, on a wire that counts them.</param>
    public abstract void WriteEvent(IBufferWriter<byte> writer, WireError error, string requestId, int sequence);

    /// <inheritdoc/>
    public Task WriteAsync(HttpContext context, HttpError error) => WriteAsync(context, From(error));

    /// <summary>Answers with the error. The response has not started.</summary>
    public async Task WriteAsync(HttpContext context, WireError error)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(error);
        var body = new ArrayBufferWriter<byte>(256);
        Write(body, error, RequestId.Of(context));

        var response = context.Response;
        response.StatusCode = error.Status;
        response.ContentType = ContentType;
        response.ContentLength = body.WrittenCount;
        if (RequestIdHeader is { } header)
            response.Headers[header] = RequestId.Of(context);
        AddHeaders(response, error);
        await response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    /// <summary>Adds what this wire's clients look for in the headers of an error.</summary>
    protected virtual void AddHeaders(HttpResponse response, WireError error) { }
}
