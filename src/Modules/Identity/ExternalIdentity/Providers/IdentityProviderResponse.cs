using Verbatim.Modules.Identity.Users;

namespace Verbatim.Modules.Identity.ExternalIdentity.Providers;

/// <summary>An external identity provider, without the secret that goes with it.</summary>
/// <param name="Id">The provider, and the stream of its events.</param>
/// <param name="Name">What people see on the button.</param>
/// <param name="Issuer">The provider's name and address.</param>
/// <param name="ClientId">What this server is called there.</param>
/// <param name="Scopes">What is asked for beside openid.</param>
/// <param name="LinkPolicy">What becomes of somebody new.</param>
/// <param name="AllowedDomains">The only domains of addresses that are taken; none for any.</param>
/// <param name="DefaultRole">Of somebody for whom no mapping holds.</param>
/// <param name="RoleClaim">The claim that the mappings are about.</param>
/// <param name="RoleMappings">The first that holds counts.</param>
/// <param name="IsEnabled">False: nobody logs in with it.</param>
/// <param name="ApiAudience">The audience whose access tokens the API takes; null: none.</param>
/// <param name="LoginPath">Where a person begins to log in with it.</param>
/// <param name="RedirectPath">What to register at the provider as redirect URI, behind this server's address.</param>
/// <param name="CreatedAt">When it was registered.</param>
/// <param name="DeletedAt">When it was deleted.</param>
public sealed record IdentityProviderResponse(
    Guid Id,
    string Name,
    string Issuer,
    string ClientId,
    IReadOnlyList<string> Scopes,
    LinkPolicy LinkPolicy,
    IReadOnlyList<string> AllowedDomains,
    Role? DefaultRole,
    string? RoleClaim,
    IReadOnlyList<RoleMapping> RoleMappings,
    bool IsEnabled,
    string? ApiAudience,
    string LoginPath,
    string RedirectPath,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DeletedAt
)
{
    internal static readonly IdentityProviderResponse Example = From(
        Guid.Parse("0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77"),
        new IdentityProvider(
            new ProviderSettings(
                "Example ID",
                "https://id.example.com",
                "verbatim",
                ["email"],
                LinkPolicy.Create,
                ["example.com"],
                Role.User,
                "groups",
                [new RoleMapping("ai-admins", Role.Admin)],
                IsEnabled: true,
                ApiAudience: null
            ),
            Guid.Parse("0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35"),
            new DateTimeOffset(2026, 3, 2, 9, 30, 0, TimeSpan.Zero),
            DeletedAt: null
        )
    );

    internal static IdentityProviderResponse From(Guid id, IdentityProvider provider) =>
        new(
            id,
            provider.Settings.Name,
            provider.Settings.Issuer,
            provider.Settings.ClientId,
            provider.Settings.Scopes,
            provider.Settings.LinkPolicy,
            provider.Settings.AllowedDomains,
            provider.Settings.DefaultRole,
            provider.Settings.RoleClaim,
            provider.Settings.RoleMappings,
            provider.Settings.IsEnabled,
            provider.Settings.ApiAudience,
            $"/login/external/{id}",
            $"/login/external/{id}/callback",
            provider.CreatedAt,
            provider.DeletedAt
        );
}
