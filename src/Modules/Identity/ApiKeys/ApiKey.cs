using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>A long-lived credential for programs. Its secret is kept only as a hash, beside the events.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Prefix">The secret's first characters, to tell keys apart.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="UserId">Who made it; it can never do more than they.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends by itself, or null.</param>
/// <param name="RevokedAt">When it was revoked, or null.</param>
[StreamType("api-key", Owner = nameof(UserId))]
internal sealed record ApiKey(
    [property: Personal(Of = nameof(ApiKey.UserId))] string Name,
    string Prefix,
    IReadOnlyList<string> Scopes,
    Guid UserId,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt
) : IDocument<ApiKey>
{
    public static ApiKey Evolve(ApiKey? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, ApiKeyCreated e) => new ApiKey(
                e.Name,
                e.Prefix,
                e.Scopes,
                e.UserId,
                e.CreatedAt,
                e.ExpiresAt,
                RevokedAt: null
            ),
            ({ RevokedAt: null } key, ApiKeyRevoked e) => key with { RevokedAt = e.RevokedAt },
            _ => throw new UnexpectedEventException(typeof(ApiKey), @event),
        };

    public bool IsActive(DateTimeOffset now) => RevokedAt is null && !(ExpiresAt <= now);
}

/// <summary>A key was made. Its secret is kept as a hash only, and not here.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Prefix">The secret's first characters, to tell keys apart.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="UserId">Who made it.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
[EventType("identity.api-key-created")]
internal sealed record ApiKeyCreated(
    [property: Personal(Of = nameof(ApiKeyCreated.UserId))] string Name,
    string Prefix,
    IReadOnlyList<string> Scopes,
    Guid UserId,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt
) : IEvent;

/// <summary>The key does not work any more, on any instance, from a second later on.</summary>
/// <param name="RevokedAt">When.</param>
[EventType("identity.api-key-revoked")]
internal sealed record ApiKeyRevoked(DateTimeOffset RevokedAt) : IStandingChange;
