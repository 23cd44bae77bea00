using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.OAuth.Authorization;

/// <summary>A person let an application act for them; what came of it is the login that the application then has.</summary>
/// <param name="UserId">The person.</param>
/// <param name="ClientId">The application.</param>
/// <param name="Scopes">What it may do at most.</param>
[StreamType("authorization", Owner = nameof(UserId), Snapshot = SnapshotKind.Folded)]
internal sealed record GrantedAuthorization(Guid UserId, Guid ClientId, IReadOnlyList<string> Scopes)
    : IDocument<GrantedAuthorization>
{
    public static GrantedAuthorization Evolve(GrantedAuthorization? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, AuthorizationGranted e) => new GrantedAuthorization(e.UserId, e.ClientId, e.Scopes),
            _ => throw new UnexpectedEventException(typeof(GrantedAuthorization), @event),
        };
}

/// <summary>An authorization code was given out. The code is not on record.</summary>
/// <param name="UserId">The person.</param>
/// <param name="ClientId">The application.</param>
/// <param name="Scopes">What it may do at most.</param>
/// <param name="LoginId">The login under which the person agreed.</param>
/// <param name="GrantedAt">When.</param>
[EventType("identity.authorization-granted")]
internal sealed record AuthorizationGranted(
    Guid UserId,
    Guid ClientId,
    IReadOnlyList<string> Scopes,
    Guid LoginId,
    DateTimeOffset GrantedAt
) : IEvent;
