using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>Who looks at a page: pages that are for people who are logged in send everybody else to the login first.</summary>
internal static class PageVisitor
{
    /// <summary>The person who is logged in by cookie, or nobody; for an unsafe request only if a page of ours made it.</summary>
    public static bool TryFind(HttpContext http, [NotNullWhen(true)] out Caller? caller)
    {
        caller = (http.User.Identity as CallerIdentity)?.Caller;
        return caller?.LoginId is not null && LoginCookies.Of(http.Request) is not null;
    }

    /// <summary>The hidden field that proves that a form of a person who is logged in came from a page of ours.</summary>
    public static Html FormToken(HttpContext http) =>
        Html.Of(
            $"<input type=\"hidden\" name=\"{LoginCookies.AntiforgeryField}\" value=\"{LoginCookies.AntiforgeryTokenOf(LoginCookies.Of(http.Request)!)}\">"
        );

    /// <summary>To the login, and from there back to the page that was asked for.</summary>
    public static SeeOther ToLogin(HttpContext http) =>
        new(
            LocalPath
                .OrRoot(
                    HttpMethods.IsGet(http.Request.Method)
                        ? http.Request.Path + http.Request.QueryString
                        : http.Request.Path
                )
                .AsReturnOf(LoginPage.Path)
        );
}
