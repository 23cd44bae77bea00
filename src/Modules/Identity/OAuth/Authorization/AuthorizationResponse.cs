using System.Text;
using Microsoft.AspNetCore.Http;

namespace Verbatim.Modules.Identity.OAuth.Authorization;

/// <summary>Sends the person back to the client with an answer in the address.</summary>
internal static class AuthorizationResponse
{
    /// <summary>Whatever the answer is, it has the client's state, and the issuer by which the client tells servers apart (RFC 9207).</summary>
    public static IResult Redirect(
        HttpContext http,
        string redirectUri,
        string issuer,
        string? state,
        params IReadOnlyList<(string Name, string Value)> parameters
    )
    {
        OAuthError.NoStore(http);
        var all = new List<(string, string)>(parameters);
        if (state is not null)
            all.Add(("state", state));
        all.Add(("iss", issuer));
        return SeeOther(http, Append(redirectUri, all));
    }

    public static IResult Error(HttpContext http, string redirectUri, string issuer, string? state, OAuthError error) =>
        Redirect(http, redirectUri, issuer, state, ("error", error.Code), ("error_description", error.Description));

    /// <summary>RFC 9700 §4.12: 303, since another status could have the browser send a form on to the client.</summary>
    public static IResult SeeOther(HttpContext http, string location)
    {
        http.Response.Headers.Location = location;
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        return TypedResults.StatusCode(StatusCodes.Status303SeeOther);
    }

    /// <summary>The address with more in its query; what is there already stays as it is (RFC 6749 §3.1.2).</summary>
    public static string Append(string address, IEnumerable<(string Name, string Value)> parameters)
    {
        var text = new StringBuilder(address);
        var separator = !address.Contains('?', StringComparison.Ordinal) ? '?' : '&';
        foreach (var (name, value) in parameters)
        {
            text.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }
        return text.ToString();
    }
}
