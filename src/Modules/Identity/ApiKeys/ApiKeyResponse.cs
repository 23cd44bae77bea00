namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>An API key, without its secret.</summary>
/// <param name="Id">The key, and the stream of its events. It stays the same through every rotation.</param>
/// <param name="Name">What it is for.</param>
/// <param name="Prefix">The newest secret's first characters.</param>
/// <param name="Scopes">What it may do, as far as its principal may.</param>
/// <param name="PrincipalId">Who it acts as.</param>
/// <param name="PrincipalKind">Whether that is a person or a service account.</param>
/// <param name="ProjectId">The project that it belongs to.</param>
/// <param name="AllowedAddresses">The only networks that it works from; empty for everywhere.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
/// <param name="RevokedAt">When it was revoked.</param>
/// <param name="LastUsedAt">When it was used last, to the minute; null if it never was.</param>
/// <param name="Rotation">The last rotation, until its grace is ended; null without one.</param>
public sealed record ApiKeyResponse(
    Guid Id,
    string Name,
    string Prefix,
    IReadOnlyList<string> Scopes,
    Guid PrincipalId,
    PrincipalKind PrincipalKind,
    Guid? ProjectId,
    IReadOnlyList<string> AllowedAddresses,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt,
    DateTimeOffset? LastUsedAt,
    ApiKeyRotationResponse? Rotation
)
{
    internal static readonly ApiKeyResponse Example = new(
        Guid.Parse("0198c8a4-2f6b-7d0e-9a51-c3e07b64d218"),
        "The billing job",
        "vk_8Zt3Q",
        ["inferences:create", "models:read"],
        Guid.Parse("0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35"),
        PrincipalKind.User,
        ProjectId: null,
        ["10.0.0.0/8", "2001:db8::/32"],
        new DateTimeOffset(2026, 3, 2, 9, 30, 0, TimeSpan.Zero),
        ExpiresAt: null,
        RevokedAt: null,
        new DateTimeOffset(2026, 3, 9, 7, 2, 11, TimeSpan.Zero),
        Rotation: null
    );

    internal static ApiKeyResponse From(Guid id, ApiKey key, DateTimeOffset? lastUsedAt) =>
        new(
            id,
            key.Name,
            key.Prefix,
            key.Scopes,
            key.PrincipalId,
            key.PrincipalKind,
            key.ProjectId,
            key.AllowedAddresses,
            key.CreatedAt,
            key.ExpiresAt,
            key.RevokedAt,
            lastUsedAt,
            key.Rotation is { } rotation
                ? new ApiKeyRotationResponse(rotation.OldPrefix, rotation.RotatedAt, rotation.GraceEndsAt)
                : null
        );
}

/// <summary>A rotation of a key's secret.</summary>
/// <param name="OldPrefix">The first characters of the secret from before.</param>
/// <param name="RotatedAt">When the new secret was made.</param>
/// <param name="GraceEndsAt">Until when the secret from before works; it may be over.</param>
public sealed record ApiKeyRotationResponse(string OldPrefix, DateTimeOffset RotatedAt, DateTimeOffset GraceEndsAt);
