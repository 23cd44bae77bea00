using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Verbatim.Platform.Http.Door;

/// <summary>Headers that every response has, errors too, unless whoever answers has said otherwise.</summary>
internal sealed class SecurityHeaders(DoorSettings settings)
{
    // Nothing of an answer is to be run or framed; a page brings a policy of its own.
    private const string DataPolicy = "default-src 'none'; frame-ancestors 'none'";

    private readonly string? _hsts =
        settings.HstsSeconds > 0
            ? string.Create(CultureInfo.InvariantCulture, $"max-age={settings.HstsSeconds}")
            : null;

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(
            static state =>
            {
                var (headers, context) = ((SecurityHeaders, HttpContext))state;
                headers.Set(context);
                return Task.CompletedTask;
            },
            (this, context)
        );
        return next(context);
    }

    private void Set(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        // For browsers from before frame-ancestors.
        headers.XFrameOptions = "DENY";
        headers["referrer-policy"] = "no-referrer";
        headers["cross-origin-opener-policy"] = "same-origin";
        headers["permissions-policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
        if (headers.ContentSecurityPolicy.Count == 0)
            headers.ContentSecurityPolicy = DataPolicy;
        // RFC 6797 §7.2: not over plain http.
        if (_hsts is not null && context.Request.IsHttps)
            headers.StrictTransportSecurity = _hsts;
        if (headers.CacheControl.Count == 0 && IsPrivate(context.Request.Path))
            headers.CacheControl = "no-store";
    }

    // Tokens and secrets are among what these answer (RFC 6749 §5.1), and whatever else it is, it is one caller's.
    private static bool IsPrivate(PathString path) =>
        path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/oauth", StringComparison.OrdinalIgnoreCase);
}
