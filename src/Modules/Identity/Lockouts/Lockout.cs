using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Lockouts;

/// <summary>That an account's logins were refused for a time, or that an administrator let them in again. One event each.</summary>
[StreamType("lockout", Owner = nameof(UserId), Snapshot = SnapshotKind.Folded)]
internal sealed record Lockout(Guid UserId, DateTimeOffset? Until) : IDocument<Lockout>
{
    public static Lockout Evolve(Lockout? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, AccountLocked e) => new Lockout(e.UserId, e.Until),
            (null, AccountUnlocked e) => new Lockout(e.UserId, Until: null),
            _ => throw new UnexpectedEventException(typeof(Lockout), @event),
        };
}

/// <summary>Too many attempts to log in have failed: until then none is even looked at, right or wrong.</summary>
/// <param name="UserId">The person.</param>
/// <param name="Failures">How many attempts failed since the last that succeeded.</param>
/// <param name="Until">When the next attempt is allowed.</param>
[EventType("identity.account-locked")]
internal sealed record AccountLocked(Guid UserId, int Failures, DateTimeOffset Until) : IEvent;

/// <summary>An administrator has forgotten an account's failed attempts: it may log in at once.</summary>
/// <param name="UserId">The person.</param>
[EventType("identity.account-unlocked")]
internal sealed record AccountUnlocked(Guid UserId) : IEvent;
