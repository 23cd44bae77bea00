using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>An invitation of an address to an organization. Its token is kept as a hash, beside the events.</summary>
/// <param name="Email">Who is invited.</param>
/// <param name="Role">What they will be.</param>
/// <param name="UserId">The id that they will have, if there is no account with the address when they accept; the key of it seals the address.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
/// <param name="Deliveries">How often it was handed out or sent: the number of the last one.</param>
/// <param name="Delivery">What became of the last one.</param>
/// <param name="RevokedAt">When it was revoked, or null.</param>
/// <param name="AcceptedAt">When it was accepted, or null.</param>
/// <param name="AcceptedBy">Who has accepted it, or null.</param>
[StreamType("invitation", Owner = DocumentOwner.Organization)]
internal sealed record Invitation(
    [property: Personal(Of = nameof(Invitation.UserId))] string Email,
    Role Role,
    Guid UserId,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    int Deliveries,
    InvitationDelivery Delivery,
    DateTimeOffset? RevokedAt,
    DateTimeOffset? AcceptedAt,
    Guid? AcceptedBy
) : IDocument<Invitation>
{
    internal static readonly Decision NotFound = Decision.Refuse(
        RefusalKind.NotFound,
        "identity.invitation-not-found",
        "There is no such invitation."
    );

    internal static readonly Decision Closed = Decision.Refuse(
        RefusalKind.Conflict,
        "identity.invitation-closed",
        "The invitation was accepted or revoked; make another one."
    );

    public bool IsOpen => RevokedAt is null && AcceptedAt is null;

    public static Invitation Evolve(Invitation? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, InvitationCreated e) => new Invitation(
                e.Email,
                e.Role,
                e.UserId,
                e.CreatedAt,
                e.ExpiresAt,
                Deliveries: 1,
                e.IsByMail ? InvitationDelivery.Waiting : InvitationDelivery.Link,
                RevokedAt: null,
                AcceptedAt: null,
                AcceptedBy: null
            ),
            ({ IsOpen: true } invitation, InvitationRenewed e) => invitation with
            {
                ExpiresAt = e.ExpiresAt,
                Deliveries = invitation.Deliveries + 1,
                Delivery = e.IsByMail ? InvitationDelivery.Waiting : InvitationDelivery.Link,
            },
            ({ } invitation, InvitationSent) => invitation with { Delivery = InvitationDelivery.Sent },
            ({ } invitation, InvitationUndeliverable) => invitation with
            {
                Delivery = InvitationDelivery.Undeliverable,
            },
            ({ IsOpen: true } invitation, InvitationRevoked e) => invitation with { RevokedAt = e.RevokedAt },
            ({ IsOpen: true } invitation, InvitationAccepted e) => invitation with
            {
                AcceptedAt = e.AcceptedAt,
                AcceptedBy = e.UserId,
            },
            _ => throw new UnexpectedEventException(typeof(Invitation), @event),
        };

    internal InvitationStatus StatusAt(DateTimeOffset now) =>
        this switch
        {
            { AcceptedAt: not null } => InvitationStatus.Accepted,
            { RevokedAt: not null } => InvitationStatus.Revoked,
            _ when ExpiresAt <= now => InvitationStatus.Expired,
            _ => InvitationStatus.Pending,
        };
}

/// <summary>How an invitation reaches whom it is for.</summary>
public enum InvitationDelivery
{
    /// <summary>Its link was returned to whoever made it: no mail server is set.</summary>
    Link,

    /// <summary>A mail waits to be sent.</summary>
    Waiting,

    /// <summary>The mail server has taken a mail.</summary>
    Sent,

    /// <summary>The mail server does not take mails for the address.</summary>
    Undeliverable,
}

/// <summary>What became of an invitation.</summary>
public enum InvitationStatus
{
    /// <summary>It can be accepted.</summary>
    Pending,

    /// <summary>It was accepted.</summary>
    Accepted,

    /// <summary>It was revoked.</summary>
    Revoked,

    /// <summary>Its time is over; it can be sent anew.</summary>
    Expired,
}

/// <summary>An address was invited to the organization. The token of the link is kept as a hash only, and not here.</summary>
/// <param name="Email">Who is invited.</param>
/// <param name="Role">What they will be.</param>
/// <param name="UserId">The id that they will have, if there is no account with the address.</param>
/// <param name="IsByMail">A mail is sent; otherwise the link was returned.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
[EventType("identity.invitation-created")]
internal sealed record InvitationCreated(
    [property: Personal(Of = nameof(InvitationCreated.UserId))] string Email,
    Role Role,
    Guid UserId,
    bool IsByMail,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt
) : IEvent;

/// <summary>The invitation was sent or handed out anew; links from before do not work any more.</summary>
/// <param name="IsByMail">A mail is sent; otherwise the link was returned.</param>
/// <param name="RenewedAt">When.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
[EventType("identity.invitation-renewed")]
internal sealed record InvitationRenewed(bool IsByMail, DateTimeOffset RenewedAt, DateTimeOffset ExpiresAt) : IEvent;

/// <summary>The mail server has taken the invitation's mail.</summary>
/// <param name="SentAt">When.</param>
[EventType("identity.invitation-sent")]
internal sealed record InvitationSent(DateTimeOffset SentAt) : IEvent;

/// <summary>The mail server does not take mails for the invitation's address.</summary>
/// <param name="FailedAt">When it said so.</param>
[EventType("identity.invitation-undeliverable")]
internal sealed record InvitationUndeliverable(DateTimeOffset FailedAt) : IEvent;

/// <summary>The invitation cannot be accepted any more.</summary>
/// <param name="RevokedAt">When.</param>
[EventType("identity.invitation-revoked")]
internal sealed record InvitationRevoked(DateTimeOffset RevokedAt) : IEvent;

/// <summary>The invitation was accepted; the member's own stream says so first.</summary>
/// <param name="UserId">Who has joined by it.</param>
/// <param name="AcceptedAt">When.</param>
[EventType("identity.invitation-accepted")]
internal sealed record InvitationAccepted(Guid UserId, DateTimeOffset AcceptedAt) : IEvent;
