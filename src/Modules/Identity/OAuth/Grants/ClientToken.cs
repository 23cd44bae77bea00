using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.OAuth.Grants;

/// <summary>An access token that an application was given to act for itself. Its id is the token's <c>jti</c>.</summary>
/// <param name="ClientId">The application.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
/// <param name="RevokedAt">When it was revoked before that.</param>
[StreamType("client-token", Owner = nameof(ClientId), Snapshot = SnapshotKind.Folded)]
internal sealed record ClientToken(
    Guid ClientId,
    IReadOnlyList<string> Scopes,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? RevokedAt
) : IDocument<ClientToken>
{
    public static ClientToken Evolve(ClientToken? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, ClientTokenIssued e) => new ClientToken(e.ClientId, e.Scopes, e.ExpiresAt, RevokedAt: null),
            ({ RevokedAt: null } token, ClientTokenRevoked e) => token with { RevokedAt = e.RevokedAt },
            _ => throw new UnexpectedEventException(typeof(ClientToken), @event),
        };
}

/// <summary>An application was given an access token to act for itself. The token is not on record.</summary>
/// <param name="ClientId">The application.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
[EventType("identity.client-token-issued")]
internal sealed record ClientTokenIssued(Guid ClientId, IReadOnlyList<string> Scopes, DateTimeOffset ExpiresAt)
    : IEvent;

/// <summary>The application gave the token back: it does not work any more, on any instance, from a second later on.</summary>
/// <param name="RevokedAt">When.</param>
[EventType("identity.client-token-revoked")]
internal sealed record ClientTokenRevoked(DateTimeOffset RevokedAt) : IStandingChange;
