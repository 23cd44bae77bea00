using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>One attempt of a person to log in.</summary>
[StreamType("login", Snapshot = SnapshotKind.Folded)]
internal sealed record Login(Guid? UserId, LoginOutcome Outcome, string Address) : IDocument<Login>
{
    public static Login Evolve(Login? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, LoginSucceeded e) => new Login(e.UserId, LoginOutcome.Succeeded, e.Address),
            (null, LoginFailed e) => new Login(e.UserId, LoginOutcome.Failed, e.Address),
            _ => throw new UnexpectedEventException(typeof(Login), @event),
        };
}

internal enum LoginOutcome
{
    Succeeded,
    Failed,
}

/// <summary>A person has logged in, and was given an access token.</summary>
/// <param name="UserId">The person.</param>
/// <param name="TokenId">The token's id (<c>jti</c>); the token itself is not on record.</param>
/// <param name="Address">The client's IP address.</param>
/// <param name="UserAgent">What the client calls itself.</param>
[EventType("identity.login-succeeded")]
internal sealed record LoginSucceeded(
    Guid UserId,
    Guid TokenId,
    [property: Personal] string Address,
    [property: Personal] string? UserAgent
) : IEvent;

/// <summary>Somebody tried to log in, and was refused.</summary>
/// <param name="UserId">Null when there is no such account: what was typed may be anything, a password too, so it is not kept.</param>
/// <param name="Address">The client's IP address.</param>
/// <param name="UserAgent">What the client calls itself.</param>
[EventType("identity.login-failed")]
internal sealed record LoginFailed(
    Guid? UserId,
    [property: Personal] string Address,
    [property: Personal] string? UserAgent
) : IEvent;
