using Microsoft.AspNetCore.Http;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>Leads the browser on with a GET, whatever it had sent (RFC 9110 §15.4.4).</summary>
/// <param name="Path">A path of this server.</param>
internal sealed record SeeOther(string Path) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = Path;
        httpContext.Response.Headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }
}
