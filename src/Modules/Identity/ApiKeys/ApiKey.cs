using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>A long-lived credential for programs. Its secret is kept only as a hash, beside the events.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Prefix">The newest secret's first characters, to tell keys apart.</param>
/// <param name="Scopes">What it may do, as far as its principal may.</param>
/// <param name="PrincipalId">Who it acts as: the person who made it, or a service account. It never does more than they may now.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends by itself, or null.</param>
/// <param name="RevokedAt">When it was revoked, or null.</param>
/// <param name="PrincipalKind">What its principal is.</param>
/// <param name="ProjectId">The project that it belongs to, or null.</param>
/// <param name="AllowedAddresses">The only networks that it works from (CIDR); empty for everywhere.</param>
/// <param name="Rotation">The last rotation, while its grace has not been ended; null without one.</param>
[StreamType("api-key", Owner = nameof(PrincipalId))]
internal sealed record ApiKey(
    [property: Personal(Of = nameof(ApiKey.PrincipalId))] string Name,
    string Prefix,
    IReadOnlyList<string> Scopes,
    Guid PrincipalId,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt,
    PrincipalKind PrincipalKind,
    Guid? ProjectId,
    IReadOnlyList<string> AllowedAddresses,
    ApiKeyRotation? Rotation
) : IDocument<ApiKey>
{
    public static ApiKey Evolve(ApiKey? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, ApiKeyCreated e) => new ApiKey(
                e.Name,
                e.Prefix,
                e.Scopes,
                e.PrincipalId,
                e.CreatedAt,
                e.ExpiresAt,
                RevokedAt: null,
                e.PrincipalKind,
                e.ProjectId,
                e.AllowedAddresses,
                Rotation: null
            ),
            ({ RevokedAt: null } key, ApiKeyChanged e) => key with
            {
                Name = e.Name,
                Scopes = e.Scopes,
                ExpiresAt = e.ExpiresAt,
                AllowedAddresses = e.AllowedAddresses,
            },
            ({ RevokedAt: null } key, ApiKeyRotated e) => key with
            {
                Prefix = e.Prefix,
                Rotation = new ApiKeyRotation(key.Prefix, e.RotatedAt, e.GraceEndsAt),
            },
            ({ RevokedAt: null } key, ApiKeyGraceEnded) => key with { Rotation = null },
            ({ RevokedAt: null } key, ApiKeyRevoked e) => key with { RevokedAt = e.RevokedAt, Rotation = null },
            _ => throw new UnexpectedEventException(typeof(ApiKey), @event),
        };

    public bool IsActive(DateTimeOffset now) => RevokedAt is null && !(ExpiresAt <= now);

    public bool IsInGrace(DateTimeOffset now) => Rotation?.GraceEndsAt > now;
}

/// <summary>What a key or a login acts as.</summary>
public enum PrincipalKind
{
    /// <summary>A person.</summary>
    User,

    /// <summary>A machine of the organization.</summary>
    ServiceAccount,
}

/// <summary>A rotation: for a while the secret from before works too.</summary>
/// <param name="OldPrefix">The first characters of the secret from before.</param>
/// <param name="RotatedAt">When the new secret was made.</param>
/// <param name="GraceEndsAt">When the one from before ends.</param>
internal sealed record ApiKeyRotation(string OldPrefix, DateTimeOffset RotatedAt, DateTimeOffset GraceEndsAt);

/// <summary>A key was made. Its secret is kept as a hash only, and not here.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Prefix">The secret's first characters, to tell keys apart.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="PrincipalId">Who it acts as.</param>
/// <param name="PrincipalKind">What that is.</param>
/// <param name="ProjectId">The project that it belongs to.</param>
/// <param name="AllowedAddresses">The only networks that it works from; empty for everywhere.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
[EventType("identity.api-key-created", Version = 2)]
internal sealed record ApiKeyCreated(
    [property: Personal(Of = nameof(ApiKeyCreated.PrincipalId))] string Name,
    string Prefix,
    IReadOnlyList<string> Scopes,
    Guid PrincipalId,
    PrincipalKind PrincipalKind,
    Guid? ProjectId,
    IReadOnlyList<string> AllowedAddresses,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt
) : IEvent;

/// <summary>What a key is called, or may do, was changed; the event has all of it as it is now.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
/// <param name="AllowedAddresses">The only networks that it works from; empty for everywhere.</param>
/// <param name="PrincipalId">Who it acts as.</param>
/// <param name="ChangedAt">When.</param>
[EventType("identity.api-key-changed")]
internal sealed record ApiKeyChanged(
    [property: Personal(Of = nameof(ApiKeyChanged.PrincipalId))] string Name,
    IReadOnlyList<string> Scopes,
    DateTimeOffset? ExpiresAt,
    IReadOnlyList<string> AllowedAddresses,
    Guid PrincipalId,
    DateTimeOffset ChangedAt
) : IStandingChange;

/// <summary>The key was given another secret. The one from before works until the grace ends; one from before that has ended.</summary>
/// <param name="Prefix">The new secret's first characters.</param>
/// <param name="RotatedAt">When.</param>
/// <param name="GraceEndsAt">Until when the secret from before works; the moment of the rotation for not at all.</param>
[EventType("identity.api-key-rotated")]
internal sealed record ApiKeyRotated(string Prefix, DateTimeOffset RotatedAt, DateTimeOffset GraceEndsAt)
    : IStandingChange;

/// <summary>The secret from before the last rotation does not work any more, although its grace was not over.</summary>
/// <param name="EndedAt">When.</param>
[EventType("identity.api-key-grace-ended")]
internal sealed record ApiKeyGraceEnded(DateTimeOffset EndedAt) : IStandingChange;

/// <summary>The key does not work any more, on any instance, from a second later on.</summary>
/// <param name="RevokedAt">When.</param>
[EventType("identity.api-key-revoked")]
internal sealed record ApiKeyRevoked(DateTimeOffset RevokedAt) : IStandingChange;
