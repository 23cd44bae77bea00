namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>An API key, without its secret.</summary>
/// <param name="Id">The key, and the stream of its events.</param>
/// <param name="Name">What it is for.</param>
/// <param name="Prefix">The secret's first characters.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="UserId">Who made it.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
/// <param name="RevokedAt">When it was revoked.</param>
public sealed record ApiKeyResponse(
    Guid Id,
    string Name,
    string Prefix,
    IReadOnlyList<string> Scopes,
    Guid UserId,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt
)
{
    internal static readonly ApiKeyResponse Example = new(
        Guid.Parse("0198c8a4-2f6b-7d0e-9a51-c3e07b64d218"),
        "The billing job",
        "vk_8Zt3Q",
        ["inferences:create", "models:read"],
        Guid.Parse("0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35"),
        new DateTimeOffset(2026, 3, 2, 9, 30, 0, TimeSpan.Zero),
        ExpiresAt: null,
        RevokedAt: null
    );

    internal static ApiKeyResponse From(Guid id, ApiKey key) =>
        new(id, key.Name, key.Prefix, key.Scopes, key.UserId, key.CreatedAt, key.ExpiresAt, key.RevokedAt);
}
