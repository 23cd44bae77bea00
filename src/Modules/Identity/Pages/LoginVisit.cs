using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Identity.ExternalIdentity.Providers;
using Verbatim.Modules.Identity.Mail;
using Verbatim.Modules.Identity.OAuth.Authorization;
using Verbatim.Modules.Identity.OAuth.Clients;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Pages;

/// <summary>What somebody is at the login page for.</summary>
/// <param name="FormToken">The hidden field that proves that a form of the page came from it.</param>
/// <param name="ReturnTo">Where the login leads.</param>
internal sealed record LoginVisit(Html FormToken, LocalPath ReturnTo)
{
    /// <summary>The organization that the page's address names, or null.</summary>
    public Guid? OrganizationId { get; init; }

    /// <summary>The address that the form begins with.</summary>
    public string Email { get; init; } = "";

    /// <summary>The identity providers that are offered besides a password.</summary>
    public IReadOnlyList<OfferedProvider> Providers { get; init; } = [];
}

/// <summary>
/// Finds out what a visit of the login page is about from its address alone. Never from the address that was typed, or from whether it has an
/// account: the page looks the same for everybody.
/// </summary>
[Singleton]
internal sealed class LoginVisits(FormTokens tokens, OAuthClients clients, ActiveProviders providers)
{
    /// <summary>The visit.</summary>
    /// <param name="http">The request that is answered with the page.</param>
    /// <param name="returnTo">Where the login leads; an application's request names the application's organization.</param>
    /// <param name="organization">The organization that the page's address names, as it came.</param>
    /// <param name="email">What was typed before; null for a first look.</param>
    public async Task<LoginVisit> OfAsync(HttpContext http, LocalPath returnTo, string? organization, string? email)
    {
        var request = AuthorizationDemand.ParametersOf(returnTo);
        Guid? named = Guid.TryParseExact(organization, "D", out var id) ? id : null;
        var meant = named;
        // An application serves the members of its own organization, whatever else the address says.
        if (
            Guid.TryParseExact(request?["client_id"], "D", out var clientId)
            && await clients.FindAsync(clientId, http.RequestAborted) is { IsActive: true } client
        )
            meant = client.TenantId;
        return new LoginVisit(tokens.Issue(http), returnTo)
        {
            OrganizationId = named,
            Email = email ?? HintOf(request?["login_hint"]) ?? "",
            Providers = await providers.ListOfferedAsync(meant, http.RequestAborted),
        };
    }

    /// <summary>The hint, if it is an address and nothing else: it is anybody's words until then.</summary>
    public static string? HintOf(string? hint) =>
        MailAddress.TryParse(hint, out var address) && address.Name is null ? address.Address : null;
}
