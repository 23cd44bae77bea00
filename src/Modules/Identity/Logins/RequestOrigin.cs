using Microsoft.AspNetCore.Http;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>Where a request comes from, as it is put on record.</summary>
/// <param name="Address">The client's IP address.</param>
/// <param name="UserAgent">What the client calls itself, cut short; null when it does not.</param>
internal sealed record RequestOrigin(string Address, string? UserAgent)
{
    private const int MaxUserAgent = 300;

    public static RequestOrigin Of(HttpContext http)
    {
        var userAgent = http.Request.Headers.UserAgent.ToString();
        return new RequestOrigin(
            http.Connection.RemoteIpAddress?.ToString() ?? "",
            userAgent.Length switch
            {
                0 => null,
                > MaxUserAgent => userAgent[..MaxUserAgent],
                _ => userAgent,
            }
        );
    }
}
