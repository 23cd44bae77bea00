using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>Closes the invitation by which a person has joined, should the instance that they came to have died before it did.</summary>
[Subscription("identity.close-invitations-of-joined")]
internal static class OnUserJoined
{
    public static Task HandleAsync(
        UserJoined joined,
        Message message,
        InvitationAcceptance acceptance,
        CancellationToken cancellationToken
    ) =>
        joined.InvitationId is { } invitationId
            ? acceptance.CloseAsync(
                new AppendContext(message.Recorded.TenantId, "system:invitations", message.Recorded.Correlation),
                invitationId,
                message.Recorded.StreamId,
                joined.JoinedAt,
                cancellationToken
            )
            : Task.CompletedTask;
}
