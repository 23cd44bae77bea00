using System.Globalization;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Mail;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>A mail that is wanted.</summary>
/// <param name="InvitationId">Of this invitation.</param>
/// <param name="Delivery">Which delivery of it: a later one takes its place.</param>
internal sealed record InvitationToSend(Guid InvitationId, int Delivery);

/// <summary>
/// Sends the mail of an invitation. The token is made here, so that nothing but its hash is ever stored; a mail that is sent again has
/// another, and both work.
/// </summary>
[Job("identity.send-invitation", Queue = "mail", Concurrency = 2)]
internal static class SendInvitation
{
    public static async Task HandleAsync(
        InvitationToSend wanted,
        JobContext context,
        DocumentStore store,
        Database database,
        Mailer mailer,
        Issuer issuer,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var access = Access.ToAll(context.TenantId);
        var found = await store.LoadAsync<Invitation>(access, wanted.InvitationId, cancellationToken);
        if (
            found is not { Value: { IsOpen: true, Delivery: InvitationDelivery.Waiting } invitation }
            || invitation.Deliveries != wanted.Delivery
            || invitation.ExpiresAt <= time.GetUtcNow()
        )
            return;
        var organization = await store.LoadAsync<Organization>(access, context.TenantId, cancellationToken);
        var token = InvitationToken.New();
        await StoreAsync(
            database,
            context.TenantId,
            wanted.InvitationId,
            token,
            invitation.ExpiresAt,
            cancellationToken
        );
        IEvent outcome;
        try
        {
            await mailer.SendAsync(
                LetterOf(invitation, organization!.Value, InvitationToken.LinkOf(issuer, token)),
                cancellationToken
            );
            outcome = new InvitationSent(time.GetUtcNow());
        }
        catch (MailException e) when (e.IsPermanent)
        {
            outcome = new InvitationUndeliverable(time.GetUtcNow());
        }
        await store.DecideAsync<Invitation>(
            context.Appends,
            wanted.InvitationId,
            current =>
                current is { IsOpen: true, Delivery: InvitationDelivery.Waiting }
                && current.Deliveries == wanted.Delivery
                    ? Decision.Append(outcome)
                    : Decision.Nothing,
            cancellationToken
        );
    }

    internal static Letter LetterOf(Invitation invitation, Organization organization, Uri link) =>
        new(
            invitation.Email,
            $"Invitation to {organization.Name}",
            [
                $"You are invited to join {organization.Name} on Verbatim, with the role {RoleScopes.NameOf(invitation.Role)}. Open this link to accept:",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"It works once, until {invitation.ExpiresAt:d MMMM yyyy HH:mm} UTC."
                ),
                "If you do not know what this is about, do nothing: without the link nothing happens.",
            ],
            link
        );

    private static async Task StoreAsync(
        Database database,
        Guid tenantId,
        Guid invitationId,
        string token,
        DateTimeOffset expiresAt,
        CancellationToken cancellationToken
    )
    {
        // Only while it is open: a token that came after the revocation would stay for ever, though it could not be used.
        await using var command = database.Writes.CreateCommand(
            """
            insert into identity.invitation_tokens (hash, tenant_id, invitation_id, expires_at)
            select $1, tenant_id, invitation_id, $4 from identity.open_invitations
            where tenant_id = $2 and invitation_id = $3
            """
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = SecretHash.Of(token).ToArray() });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = invitationId });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = expiresAt.UtcDateTime });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
