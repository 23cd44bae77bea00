using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Http;

/// <summary>Writes errors in the dialect of the route that they belong to.</summary>
public static class Errors
{
    internal static readonly HttpError Unauthenticated = new(
        401,
        "unauthenticated",
        "A valid credential is needed: send 'Authorization: Bearer' with an API key or an access token."
    );

    internal static readonly HttpError Forbidden = new(
        403,
        "forbidden",
        "The credential does not carry the scope that this route needs."
    );

    /// <summary>The body is not JSON by its content type.</summary>
    public static readonly HttpError UnsupportedMediaType = new(
        415,
        "unsupported-media-type",
        "Send the body as 'Content-Type: application/json'."
    );

    internal static readonly HttpError BodyTooLarge = new(
        413,
        "body-too-large",
        "The request's body is larger than this server accepts."
    );

    internal static readonly HttpError MalformedRequest = new(
        400,
        "malformed-request",
        "The request cannot be read: its body, path or query is malformed."
    );

    internal static readonly HttpError ValidationFailed = new(
        400,
        "validation-failed",
        "Fields of the request are wrong; each is told with what is valid."
    );

    internal static readonly HttpError Unavailable = new(
        503,
        "database-unavailable",
        "The database cannot be reached, and nothing is answered that is not recorded; try again in a moment."
    );

    internal static readonly HttpError Busy = new(
        503,
        "server-busy",
        "There is too much to do already; try again in a moment."
    );

    internal static readonly HttpError Internal = new(
        500,
        "internal-error",
        "The server made a mistake; its log has the details under this request's id."
    );

    /// <summary>Writes <paramref name="error"/> in the dialect of the request's route or, without a route, of its path.</summary>
    public static Task WriteAsync(HttpContext context, HttpError error)
    {
        ArgumentNullException.ThrowIfNull(context);
        return DialectOf(context).WriteAsync(context, error);
    }

    /// <summary>For a status without a body (no route, wrong verb, no credential): one is written.</summary>
    internal static Task WriteStatusAsync(StatusCodeContext status)
    {
        var context = status.HttpContext;
        var error = context.Response.StatusCode switch
        {
            StatusCodes.Status401Unauthorized => Unauthenticated,
            StatusCodes.Status403Forbidden => Forbidden,
            StatusCodes.Status404NotFound => new HttpError(
                404,
                "route-not-found",
                $"There is no {context.Request.Method} {context.Request.Path}. The routes are listed at /docs."
            ),
            StatusCodes.Status405MethodNotAllowed => new HttpError(
                405,
                "method-not-allowed",
                $"{context.Request.Path} does not take {context.Request.Method}. The routes are listed at /docs."
            ),
            StatusCodes.Status413PayloadTooLarge => BodyTooLarge,
            StatusCodes.Status415UnsupportedMediaType => UnsupportedMediaType,
            var other => new HttpError(
                other,
                "http-" + other.ToString(CultureInfo.InvariantCulture),
                "The request cannot be answered."
            ),
        };
        return WriteAsync(context, error);
    }

    private static IErrorDialect DialectOf(HttpContext context)
    {
        // The exception handler clears the endpoint, but keeps the original in its feature.
        var endpoint = context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint;
        if (endpoint?.Metadata.GetMetadata<IErrorDialect>() is { } declared)
            return declared;
        var dialects = context.RequestServices.GetServices<IErrorDialect>();
        // Of /v1 and /v1/messages the longer one says more about the path.
        return dialects
                .Where(d =>
                    d.Prefix.HasValue && context.Request.Path.StartsWithSegments(d.Prefix, StringComparison.Ordinal)
                )
                .MaxBy(static d => d.Prefix.Value!.Length)
            ?? ProblemDialect.Instance;
    }
}

/// <summary>The one place where an exception becomes an answer. Its message never does.</summary>
internal sealed partial class ExceptionHandler(ILogger<ExceptionHandler> logger) : IExceptionHandler
{
    private readonly ILogger<ExceptionHandler> _logger = logger;

    public async ValueTask<bool> TryHandleAsync(
        HttpContext httpContext,
        Exception exception,
        CancellationToken cancellationToken
    )
    {
        var error = exception switch
        {
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => Errors.BodyTooLarge,
            BadHttpRequestException { InnerException: JsonException json } => new HttpError(
                400,
                "malformed-json",
                $"The body is not the JSON that this route takes (line {json.LineNumber + 1}, byte {json.BytePositionInLine + 1}, at {json.Path ?? "$"})."
            ),
            BadHttpRequestException bad => Errors.MalformedRequest with { Status = bad.StatusCode },
            ConcurrencyException => new HttpError(
                409,
                "concurrent-change",
                "It was changed by others at the same time; read it again and repeat the request."
            ),
            BusyException => Errors.Busy,
            LogUnavailableException or NpgsqlException { IsTransient: true } => Errors.Unavailable,
            OperationCanceledException when httpContext.RequestAborted.IsCancellationRequested => new HttpError(
                499,
                "client-closed-request",
                "The client went away."
            ),
            _ => Errors.Internal,
        };
        if (error.Status == 500)
            LogFault(exception, httpContext.Request.Method, httpContext.Request.Path);
        if (error.Status == 503)
            httpContext.Response.Headers.RetryAfter = Math.Ceiling(
                    (exception as BusyException)?.RetryAfter.TotalSeconds ?? 1
                )
                .ToString(CultureInfo.InvariantCulture);
        // The handler has cleared the headers of the failed answer, the request's id with them.
        httpContext.Response.Headers[RequestId.Header] = httpContext.TraceIdentifier;
        httpContext.Response.StatusCode = error.Status;
        await Errors.WriteAsync(httpContext, error);
        return true;
    }

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed")]
    private partial void LogFault(Exception exception, string method, string path);
}
