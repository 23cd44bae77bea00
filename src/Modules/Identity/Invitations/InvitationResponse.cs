using Verbatim.Modules.Identity.Users;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>An invitation.</summary>
/// <param name="Id">The invitation, and the stream of its events.</param>
/// <param name="Email">Who is invited.</param>
/// <param name="Role">What they will be.</param>
/// <param name="Status">What became of it.</param>
/// <param name="Delivery">How it reaches whom it is for.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends by itself.</param>
/// <param name="AcceptedAt">When it was accepted.</param>
/// <param name="AcceptedBy">The person who has accepted it.</param>
/// <param name="Link">Where it is accepted: shown only in the answer that makes or renews it, and only while no mail server is set.</param>
public sealed record InvitationResponse(
    Guid Id,
    string Email,
    Role Role,
    InvitationStatus Status,
    InvitationDelivery Delivery,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? AcceptedAt,
    Guid? AcceptedBy,
    string? Link
)
{
    internal static readonly InvitationResponse Example = new(
        Guid.Parse("0198ca3e-51d7-7b60-8f14-2c9e6a0d7b85"),
        "grace@example.org",
        Role.User,
        InvitationStatus.Pending,
        InvitationDelivery.Sent,
        new DateTimeOffset(2026, 3, 2, 11, 0, 0, TimeSpan.Zero),
        new DateTimeOffset(2026, 3, 9, 11, 0, 0, TimeSpan.Zero),
        AcceptedAt: null,
        AcceptedBy: null,
        Link: null
    );

    internal static readonly InvitationResponse ExampleWithLink = Example with
    {
        Delivery = InvitationDelivery.Link,
        Link = "https://verbatim.example.org/invitation?token=vi_8Zt3QmD1x0aVnK5rJc7LwYb2Gf9HsTePu4RiXo6MqEa",
    };

    internal static InvitationResponse From(Guid id, Invitation invitation, DateTimeOffset now, Uri? link = null) =>
        new(
            id,
            invitation.Email,
            invitation.Role,
            invitation.StatusAt(now),
            invitation.Delivery,
            invitation.CreatedAt,
            invitation.ExpiresAt,
            invitation.AcceptedAt,
            invitation.AcceptedBy,
            link?.AbsoluteUri
        );
}
