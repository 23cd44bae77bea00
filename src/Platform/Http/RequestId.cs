using Microsoft.AspNetCore.Http;

namespace Verbatim.Platform.Http;

/// <summary>
/// The id of a request: taken from <c>x-request-id</c> where the client sent a sound one, made otherwise. It is in every response and in
/// every event that the request causes.
/// </summary>
public static class RequestId
{
    /// <summary>The header, both ways.</summary>
    public const string Header = "x-request-id";

    private const int MaxLength = 128;

    /// <summary>The id of this request.</summary>
    public static string Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.TraceIdentifier;
    }

    internal static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var given = context.Request.Headers[Header];
        context.TraceIdentifier =
            given.Count == 1 && IsSound(given[0]) ? given[0]! : Guid.CreateVersion7().ToString("N");
        context.Response.Headers[Header] = context.TraceIdentifier;
        return next(context);
    }

    /// <summary>Whether a client's id is taken: visible ASCII only, since it goes into a header, a log line and an event.</summary>
    public static bool IsSound(string? id) =>
        id is { Length: > 0 and <= MaxLength } && !id.AsSpan().ContainsAnyExceptInRange('!', '~');
}
