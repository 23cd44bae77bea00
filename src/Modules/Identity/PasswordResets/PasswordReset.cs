using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.PasswordResets;

/// <summary>That somebody asked for a link with which a person chooses a new password. The link's token is not on record.</summary>
/// <param name="UserId">The person.</param>
/// <param name="ExpiresAt">When the link is worth nothing any more.</param>
[StreamType("password-reset", Owner = nameof(UserId), Snapshot = SnapshotKind.Folded)]
internal sealed record PasswordReset(Guid UserId, DateTimeOffset ExpiresAt) : IDocument<PasswordReset>
{
    public static PasswordReset Evolve(PasswordReset? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, PasswordResetOffered e) => new PasswordReset(e.UserId, e.ExpiresAt),
            _ => throw new UnexpectedEventException(typeof(PasswordReset), @event),
        };
}

/// <summary>A person was given a link with which they choose a new password: by mail, or by an administrator.</summary>
/// <param name="UserId">The person.</param>
/// <param name="ByMail">It was sent to the person's address; otherwise an administrator got it.</param>
/// <param name="ExpiresAt">When it is worth nothing any more.</param>
[EventType("identity.password-reset-offered")]
internal sealed record PasswordResetOffered(Guid UserId, bool ByMail, DateTimeOffset ExpiresAt) : IEvent;
