using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.ExternalIdentity.Providers;

/// <summary>An OpenID Connect provider that members of the organization log in with.</summary>
/// <param name="Settings">What administrators decide about it.</param>
/// <param name="CreatedBy">Who registered it.</param>
/// <param name="CreatedAt">When it was registered.</param>
/// <param name="DeletedAt">When it was deleted, for good.</param>
[StreamType("identity-provider", Owner = DocumentOwner.Organization)]
internal sealed record IdentityProvider(
    ProviderSettings Settings,
    Guid CreatedBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DeletedAt
) : IDocument<IdentityProvider>
{
    /// <summary>Whether people can log in with it.</summary>
    public bool IsActive => DeletedAt is null && Settings.IsEnabled;

    public static IdentityProvider Evolve(IdentityProvider? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, IdentityProviderRegistered e) => new IdentityProvider(
                e.Settings,
                e.CreatedBy,
                e.CreatedAt,
                DeletedAt: null
            ),
            ({ DeletedAt: null } provider, IdentityProviderChanged e) => provider with { Settings = e.Settings },
            ({ DeletedAt: null } provider, IdentityProviderSecretReplaced) => provider,
            ({ DeletedAt: null } provider, IdentityProviderDeleted e) => provider with { DeletedAt = e.DeletedAt },
            _ => throw new UnexpectedEventException(typeof(IdentityProvider), @event),
        };
}

/// <summary>What becomes of somebody who logs in with a provider for the first time.</summary>
public enum LinkPolicy
{
    /// <summary>Only members get in: they are known by an address that the provider has verified.</summary>
    LinkVerifiedEmail,

    /// <summary>Members are known by their verified address; anybody else with one becomes a member.</summary>
    Create,

    /// <summary>
    /// Only those get in who have an open invitation for their verified address, which the login accepts; and whoever has logged in with the
    /// provider before.
    /// </summary>
    InviteOnly,
}

/// <summary>A value of the role claim, and what it makes of a person.</summary>
/// <param name="Value">As the provider writes it.</param>
/// <param name="Role">The role here.</param>
public sealed record RoleMapping(string Value, Role Role);

/// <summary>What administrators decide about a provider.</summary>
/// <param name="Name">What people see on the button.</param>
/// <param name="Issuer">The provider's name and address, exactly as it stands in its tokens.</param>
/// <param name="ClientId">What this server is called there.</param>
/// <param name="Scopes">What is asked for beside <c>openid</c>.</param>
/// <param name="LinkPolicy">What becomes of somebody new.</param>
/// <param name="AllowedDomains">The only domains of addresses that are taken; none for any.</param>
/// <param name="DefaultRole">Of somebody for whom no mapping holds; null: they do not get in.</param>
/// <param name="RoleClaim">The claim that the mappings are about; null: roles are given here alone.</param>
/// <param name="RoleMappings">The first that holds counts.</param>
/// <param name="IsEnabled">False: nobody logs in with it.</param>
/// <param name="ApiAudience">The audience whose access tokens the API takes; null: none.</param>
internal sealed record ProviderSettings(
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
    string? ApiAudience
);

/// <summary>A provider was registered. The secret that goes with it is kept sealed, and not here.</summary>
/// <param name="Settings">What was decided about it.</param>
/// <param name="CreatedBy">Who registered it.</param>
/// <param name="CreatedAt">When.</param>
[EventType("identity.identity-provider-registered")]
internal sealed record IdentityProviderRegistered(ProviderSettings Settings, Guid CreatedBy, DateTimeOffset CreatedAt)
    : IEvent;

/// <summary>Something else was decided about the provider.</summary>
/// <param name="Settings">All that holds from now on.</param>
[EventType("identity.identity-provider-changed")]
internal sealed record IdentityProviderChanged(ProviderSettings Settings) : IStandingChange;

/// <summary>This server proves itself with another secret there.</summary>
/// <param name="ReplacedAt">When.</param>
[EventType("identity.identity-provider-secret-replaced")]
internal sealed record IdentityProviderSecretReplaced(DateTimeOffset ReplacedAt) : IEvent;

/// <summary>Nobody logs in with the provider any more.</summary>
/// <param name="DeletedAt">When.</param>
[EventType("identity.identity-provider-deleted")]
internal sealed record IdentityProviderDeleted(DateTimeOffset DeletedAt) : IStandingChange;
