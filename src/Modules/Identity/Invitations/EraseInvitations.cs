using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Invitations;

/// <summary>An erased person is invited no more: open invitations are revoked, and with them go the hashes of the address.</summary>
internal sealed class EraseInvitations(Database database, DocumentStore store, TimeProvider time) : IErasureStep
{
    public string Name => "invitations";

    public async Task<long> EraseAsync(AppendContext context, Guid subjectId, CancellationToken cancellationToken)
    {
        var invitations = await FindAsync(context.TenantId, subjectId, cancellationToken);
        foreach (var invitation in invitations)
            await store.DecideAsync<Invitation>(
                context,
                invitation,
                current => RevokeInvitation.Decide(current, context.TenantId, invitation, time.GetUtcNow()),
                cancellationToken
            );
        return invitations.Count;
    }

    private async Task<List<Guid>> FindAsync(Guid tenantId, Guid subjectId, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            select id from documents.invitation
            where tenant_id = $1 and data ->> 'userId' = $2::text
              and data ->> 'revokedAt' is null and data ->> 'acceptedAt' is null
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = subjectId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ids = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken))
            ids.Add(reader.GetGuid(0));
        return ids;
    }
}
