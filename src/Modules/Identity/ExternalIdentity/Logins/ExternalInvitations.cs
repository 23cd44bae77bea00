using Npgsql;
using Verbatim.Modules.Identity.Invitations;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.ExternalIdentity.Logins;

/// <summary>
/// Invitations that a login with a provider accepts: where only invited people get in, the provider's word that an address is theirs stands for
/// the link in the mail.
/// </summary>
[Singleton]
internal sealed class ExternalInvitations(Database database, DocumentStore documents, TimeProvider time)
{
    /// <summary>The open invitation of an address, or null.</summary>
    public async Task<Identified<Invitation>?> FindAsync(
        Guid tenantId,
        byte[] emailHash,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            """
            select invitation_id from identity.open_invitations
            where tenant_id = $1 and email_hash = $2 and expires_at > $3
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = emailHash });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = time.GetUtcNow().UtcDateTime });
        if (await command.ExecuteScalarAsync(cancellationToken) is not Guid id)
            return null;
        var invitation = await documents.LoadAsync<Invitation>(Access.ToAll(tenantId), id, cancellationToken);
        return invitation is { Value.IsOpen: true }
            ? new Identified<Invitation>(id, invitation.Value, invitation.Version)
            : null;
    }

    /// <summary>What the invitation by which somebody came has made of them; null for who came without one.</summary>
    public async Task<Role?> RoleOfAsync(Guid tenantId, Guid? invitationId, CancellationToken cancellationToken) =>
        invitationId is { } id
            ? (await documents.LoadAsync<Invitation>(Access.ToAll(tenantId), id, cancellationToken))?.Value.Role
            : null;

    /// <summary>The statement that uses an invitation up, or fails when it cannot be any more.</summary>
    public SqlWrite Use(Guid tenantId, Guid invitationId) =>
        new("select identity.use_open_invitation($1, $2, $3)", tenantId, invitationId, time.GetUtcNow().UtcDateTime);
}
