using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>An application that the members of its organization log in to with their account here, or that acts for itself there.</summary>
/// <param name="Settings">What administrators decide about it.</param>
/// <param name="SecretPrefix">The first characters of the newest secret; null for a public client.</param>
/// <param name="CreatedBy">Who registered it.</param>
/// <param name="CreatedAt">When it was registered.</param>
/// <param name="SuspendedAt">Since when it gets no tokens, and those that it has do not work.</param>
/// <param name="DeletedAt">When it was deleted: as suspended, for good.</param>
[StreamType("oauth-client", Owner = DocumentOwner.Organization)]
internal sealed record OAuthClient(
    ClientSettings Settings,
    string? SecretPrefix,
    Guid CreatedBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset? SuspendedAt,
    DateTimeOffset? DeletedAt
) : IDocument<OAuthClient>
{
    /// <summary>Whether it gets tokens.</summary>
    public bool IsActive => SuspendedAt is null && DeletedAt is null;

    public static OAuthClient Evolve(OAuthClient? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, OAuthClientRegistered e) => new OAuthClient(
                e.Settings,
                e.SecretPrefix,
                e.CreatedBy,
                e.CreatedAt,
                SuspendedAt: null,
                DeletedAt: null
            ),
            ({ DeletedAt: null } client, OAuthClientChanged e) => client with { Settings = e.Settings },
            ({ DeletedAt: null } client, OAuthClientSecretRotated e) => client with { SecretPrefix = e.SecretPrefix },
            ({ DeletedAt: null, SuspendedAt: null } client, OAuthClientSuspended e) => client with
            {
                SuspendedAt = e.SuspendedAt,
            },
            ({ DeletedAt: null, SuspendedAt: not null } client, OAuthClientReactivated) => client with
            {
                SuspendedAt = null,
            },
            ({ DeletedAt: null } client, OAuthClientDeleted e) => client with { DeletedAt = e.DeletedAt },
            _ => throw new UnexpectedEventException(typeof(OAuthClient), @event),
        };
}

/// <summary>What administrators decide about a client.</summary>
/// <param name="Name">What people see when they are asked to consent.</param>
/// <param name="AuthenticationMethod">How it proves itself, in the protocol's word; <c>none</c> for a public client.</param>
/// <param name="GrantTypes">How it gets tokens, in the protocol's words.</param>
/// <param name="RedirectUris">Where people are sent back to, exactly.</param>
/// <param name="PostLogoutRedirectUris">Where people may be sent after they have logged out, exactly.</param>
/// <param name="Scopes">The most that it is given.</param>
/// <param name="Role">What it is when it acts for itself; null when it never does.</param>
/// <param name="IsFirstParty">True when people are not asked for consent.</param>
internal sealed record ClientSettings(
    string Name,
    string AuthenticationMethod,
    IReadOnlyList<string> GrantTypes,
    IReadOnlyList<string> RedirectUris,
    IReadOnlyList<string> PostLogoutRedirectUris,
    IReadOnlyList<string> Scopes,
    Role? Role,
    bool IsFirstParty
)
{
    /// <summary>Whether it can keep a secret.</summary>
    public bool IsConfidential => AuthenticationMethod != OAuthWords.None;

    public bool Takes(string grantType) => GrantTypes.Contains(grantType, StringComparer.Ordinal);

    public bool Equals(ClientSettings? other) =>
        other is not null
        && Name == other.Name
        && AuthenticationMethod == other.AuthenticationMethod
        && GrantTypes.SequenceEqual(other.GrantTypes, StringComparer.Ordinal)
        && RedirectUris.SequenceEqual(other.RedirectUris, StringComparer.Ordinal)
        && PostLogoutRedirectUris.SequenceEqual(other.PostLogoutRedirectUris, StringComparer.Ordinal)
        && Scopes.SequenceEqual(other.Scopes, StringComparer.Ordinal)
        && Role == other.Role
        && IsFirstParty == other.IsFirstParty;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Name);
}

/// <summary>An application was registered. Its secret is kept as a hash only, and not here.</summary>
/// <param name="Settings">What was decided about it.</param>
/// <param name="SecretPrefix">The secret's first characters; null for a public client.</param>
/// <param name="CreatedBy">Who registered it.</param>
/// <param name="CreatedAt">When.</param>
[EventType("identity.oauth-client-registered")]
internal sealed record OAuthClientRegistered(
    ClientSettings Settings,
    string? SecretPrefix,
    Guid CreatedBy,
    DateTimeOffset CreatedAt
) : IEvent;

/// <summary>Something else was decided about the application.</summary>
/// <param name="Settings">All that holds from now on.</param>
[EventType("identity.oauth-client-changed")]
internal sealed record OAuthClientChanged(ClientSettings Settings) : IStandingChange;

/// <summary>The application has a new secret; the older ones end soon.</summary>
/// <param name="SecretPrefix">The new secret's first characters.</param>
/// <param name="RotatedAt">When.</param>
/// <param name="OldSecretsEndAt">Until when the older ones work.</param>
[EventType("identity.oauth-client-secret-rotated")]
internal sealed record OAuthClientSecretRotated(
    string SecretPrefix,
    DateTimeOffset RotatedAt,
    DateTimeOffset OldSecretsEndAt
) : IEvent;

/// <summary>The application gets no tokens, and those that it has do not work, on any instance, from a second later on.</summary>
/// <param name="SuspendedAt">When.</param>
[EventType("identity.oauth-client-suspended")]
internal sealed record OAuthClientSuspended(DateTimeOffset SuspendedAt) : IStandingChange;

/// <summary>The application gets tokens again.</summary>
/// <param name="ReactivatedAt">When.</param>
[EventType("identity.oauth-client-reactivated")]
internal sealed record OAuthClientReactivated(DateTimeOffset ReactivatedAt) : IStandingChange;

/// <summary>The application is gone for good.</summary>
/// <param name="DeletedAt">When.</param>
[EventType("identity.oauth-client-deleted")]
internal sealed record OAuthClientDeleted(DateTimeOffset DeletedAt) : IStandingChange;
