using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>An attempt to log in that was refused.</summary>
/// <param name="UserId">Whose account it was tried at; null when there is none.</param>
/// <param name="Address">The client's IP address.</param>
[StreamType(
    "login-attempt",
    Owner = nameof(UserId),
    Snapshot = SnapshotKind.Folded,
    FormerName = "login",
    FormerFirstEvent = typeof(LoginFailed)
)]
internal sealed record LoginAttempt(Guid? UserId, string Address) : IDocument<LoginAttempt>
{
    public static LoginAttempt Evolve(LoginAttempt? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, LoginFailed e) => new LoginAttempt(e.UserId, e.Address),
            _ => throw new UnexpectedEventException(typeof(LoginAttempt), @event),
        };
}

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
