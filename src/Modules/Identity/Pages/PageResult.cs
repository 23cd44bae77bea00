using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>A whole page, rendered here and free of scripts, under a policy that allows none.</summary>
/// <param name="Title">What the tab and the heading say.</param>
/// <param name="Body">What stands under the heading.</param>
internal sealed record PageResult(string Title, Html Body) : IResult
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; init; } = StatusCodes.Status200OK;

    /// <summary>
    /// Origins beyond this one to which a form of the page may lead. Browsers apply <c>form-action</c> to the redirects that follow a POST too
    /// (CSP level 3, §6.4.1), so a consent page names the origin of the client's redirect URI.
    /// </summary>
    public IReadOnlyList<string> FormOrigins { get; init; } = [];

    /// <summary>Where the page goes on to by itself, at once.</summary>
    public LocalPath? Refresh { get; init; }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.ContentSecurityPolicy = Policy();
        response.Headers.CacheControl = "no-store";
        var refresh = Refresh is { } path
            ? Html.Of($"<meta http-equiv=\"refresh\" content=\"0; url={path.Value}\">")
            : Html.Empty;
        var page = Html.Of(
            $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            {refresh}
            <title>{Title} · Verbatim</title>
            <link rel="icon" href="{Style.IconPath}" type="image/svg+xml">
            <link rel="stylesheet" href="{Style.SheetPath}">
            </head>
            <body>
            <main>
            <p class="brand"><span aria-hidden="true">❝</span> Verbatim</p>
            <h1>{Title}</h1>
            {Body}
            </main>
            </body>
            </html>

            """
        );
        var bytes = Encoding.UTF8.GetBytes(page.ToString());
        response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(httpContext.Request.Method))
            await response.Body.WriteAsync(bytes, httpContext.RequestAborted);
    }

    private string Policy()
    {
        var policy = new StringBuilder(
            "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
        );
        foreach (var origin in FormOrigins)
        {
            // Whatever is no origin could say anything in the header.
            if (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
                policy.Append(CultureInfo.InvariantCulture, $" {uri.GetLeftPart(UriPartial.Authority)}");
            else if (uri is not null && IsScheme(uri.Scheme))
                policy.Append(CultureInfo.InvariantCulture, $" {uri.Scheme}:");
        }
        return policy.ToString();
    }

    // Of an app on the caller's own machine (RFC 8252 §7.1).
    private static bool IsScheme(string scheme) => scheme.Contains('.', StringComparison.Ordinal);
}
