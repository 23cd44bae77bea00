using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Secrets;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>
/// Proves that a form was sent from a page that this server gave to this browser: a hidden field, sealed, that fits a cookie. So nobody can
/// log a visitor in to an account that is not theirs, or make them send any other form. Works on every instance, before there is a login.
/// </summary>
[Singleton]
internal sealed class FormTokens(MasterKey masterKey)
{
    /// <summary>The name of the hidden field.</summary>
    public const string Field = "formToken";

    private const string Purpose = "identity.form-token";
    private const int Size = 32;
    private const int MaxTokenLength = 300;

    /// <summary>The hidden field for a page that is being answered; gives the browser its cookie.</summary>
    public Html Issue(HttpContext http)
    {
        var name = CookieName(http);
        if (ReadCookie(http, name) is not { } secret)
        {
            secret = RandomNumberGenerator.GetBytes(Size);
            http.Response.Cookies.Append(
                name,
                Base64Url.EncodeToString(secret),
                new CookieOptions
                {
                    HttpOnly = true,
                    Secure = http.Request.IsHttps,
                    // Lax: with Strict, a page that another site leads to would get a new cookie, and the forms of other tabs would fail.
                    SameSite = SameSiteMode.Lax,
                    Path = "/",
                    IsEssential = true,
                }
            );
        }
        var token = Base64Url.EncodeToString(masterKey.Seal(secret, Purpose));
        return Html.Of($"<input type=\"hidden\" name=\"{Field}\" value=\"{token}\">");
    }

    /// <summary>Whether a form came from a page of ours, in this browser.</summary>
    public bool IsValid(HttpContext http, IFormCollection form)
    {
        // Browsers say so themselves (W3C Fetch Metadata); those that do not are judged by the token alone.
        var site = http.Request.Headers["Sec-Fetch-Site"];
        if (site.Count > 0 && site is not ["same-origin" or "none"])
            return false;
        if (ReadCookie(http, CookieName(http)) is not { } secret)
            return false;
        if (form[Field] is not [{ Length: > 0 and <= MaxTokenLength } token] || !Base64Url.IsValid(token))
            return false;
        try
        {
            var opened = masterKey.Open(Base64Url.DecodeFromChars(token), Purpose);
            return CryptographicOperations.FixedTimeEquals(opened, secret);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    // The prefix keeps other hosts of the domain from setting it (RFC 6265bis §4.1.3.2); it needs https.
    private static string CookieName(HttpContext http) =>
        http.Request.IsHttps ? "__Host-verbatim-form" : "verbatim-form";

    private static byte[]? ReadCookie(HttpContext http, string name)
    {
        var value = http.Request.Cookies[name];
        if (value is not { Length: > 0 and < 100 } || !Base64Url.IsValid(value))
            return null;
        var secret = Base64Url.DecodeFromChars(value);
        return secret.Length == Size ? secret : null;
    }
}
