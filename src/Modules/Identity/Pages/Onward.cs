using Microsoft.AspNetCore.Http;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>Where a form leads whose work is done.</summary>
internal static class Onward
{
    private const string ApplicationPrefix = "/oauth/";

    /// <summary>
    /// To the path, or to the account where none was asked for. From an application's request its own address may follow, to which the policy of
    /// the form's page would not let the form lead (<see cref="PageResult.FormOrigins"/>): a page in between begins anew.
    /// </summary>
    public static IResult To(LocalPath path, string title) =>
        path.Value.StartsWith(ApplicationPrefix, StringComparison.Ordinal)
            ? new PageResult(title, Html.Of($"<p><a href=\"{path.Value}\">Go on</a></p>")) { Refresh = path }
            : new SeeOther(path == LocalPath.Root ? AccountPage.Path : path.Value);
}
