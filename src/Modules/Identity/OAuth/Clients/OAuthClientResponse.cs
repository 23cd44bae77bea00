using Verbatim.Modules.Identity.Users;

namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>An OAuth client, without its secret.</summary>
/// <param name="Id">Its <c>client_id</c>, and the stream of its events.</param>
/// <param name="Name">What people see when they are asked to consent.</param>
/// <param name="TokenEndpointAuthMethod">How it proves itself; <c>none</c> for a public client.</param>
/// <param name="GrantTypes">How it gets tokens.</param>
/// <param name="RedirectUris">Where people are sent back to.</param>
/// <param name="PostLogoutRedirectUris">Where people may be sent after they have logged out.</param>
/// <param name="Scopes">The most that it is given.</param>
/// <param name="Role">What it is when it acts for itself.</param>
/// <param name="IsFirstParty">True when people are not asked for consent.</param>
/// <param name="SecretPrefix">The first characters of the newest secret.</param>
/// <param name="CreatedBy">Who registered it.</param>
/// <param name="CreatedAt">When it was registered.</param>
/// <param name="SuspendedAt">Since when it is suspended.</param>
/// <param name="DeletedAt">When it was deleted.</param>
public sealed record OAuthClientResponse(
    Guid Id,
    string Name,
    string TokenEndpointAuthMethod,
    IReadOnlyList<string> GrantTypes,
    IReadOnlyList<string> RedirectUris,
    IReadOnlyList<string> PostLogoutRedirectUris,
    IReadOnlyList<string> Scopes,
    Role? Role,
    bool IsFirstParty,
    string? SecretPrefix,
    Guid CreatedBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset? SuspendedAt,
    DateTimeOffset? DeletedAt
)
{
    internal static readonly OAuthClientResponse Example = new(
        Guid.Parse("0198c8a4-2f6b-7d0e-9a51-c3e07b64d218"),
        "The intranet",
        OAuthWords.ClientSecretBasic,
        [OAuthWords.AuthorizationCode, OAuthWords.RefreshToken],
        ["https://intranet.example.com/callback"],
        ["https://intranet.example.com/"],
        [OAuthWords.OpenId, OAuthWords.Email, Verbatim.Contracts.Scopes.InferencesCreate],
        Role: null,
        IsFirstParty: false,
        "vcs_8Zt3Q",
        Guid.Parse("0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35"),
        new DateTimeOffset(2026, 3, 2, 9, 30, 0, TimeSpan.Zero),
        SuspendedAt: null,
        DeletedAt: null
    );

    internal static OAuthClientResponse From(Guid id, OAuthClient client) =>
        new(
            id,
            client.Settings.Name,
            client.Settings.AuthenticationMethod,
            client.Settings.GrantTypes,
            client.Settings.RedirectUris,
            client.Settings.PostLogoutRedirectUris,
            client.Settings.Scopes,
            client.Settings.Role,
            client.Settings.IsFirstParty,
            client.SecretPrefix,
            client.CreatedBy,
            client.CreatedAt,
            client.SuspendedAt,
            client.DeletedAt
        );
}
