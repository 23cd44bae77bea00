using System.Globalization;
using Verbatim.Modules.Identity.OAuth.Authorization;
using Verbatim.Modules.Identity.Pages;

namespace Verbatim.Modules.Identity.ExternalIdentity.Logins;

/// <summary>
/// What an application's request wishes of the login, told on to the provider that the person chooses for it (OpenID Connect Core 1.0 §3.1.2.1).
/// </summary>
/// <param name="Parameters">For the provider's authorization endpoint.</param>
/// <param name="MaxAge">The most seconds since the person proved there who they are; null for any.</param>
internal sealed record ExternalLoginWish(IReadOnlyList<(string Name, string Value)> Parameters, long? MaxAge)
{
    private static readonly ExternalLoginWish None = new([], MaxAge: null);

    /// <summary>The wish of whoever is answered at the end of a login.</summary>
    public static ExternalLoginWish Of(LocalPath returnTo)
    {
        if (AuthorizationDemand.ParametersOf(returnTo) is not { } request)
            return None;
        var parameters = new List<(string, string)>();
        if (LoginVisits.HintOf(request["login_hint"]) is { } hint)
            parameters.Add(("login_hint", hint));
        if (request["prompt"]?.Split(' ').Contains(AuthorizationDemand.PromptLogin, StringComparer.Ordinal) is true)
            parameters.Add(("prompt", AuthorizationDemand.PromptLogin));
        long? maxAge = null;
        if (long.TryParse(request["max_age"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            maxAge = Math.Min(seconds, int.MaxValue);
            parameters.Add(("max_age", maxAge.Value.ToString(CultureInfo.InvariantCulture)));
        }
        return new ExternalLoginWish(parameters, maxAge);
    }
}
