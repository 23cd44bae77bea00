using Npgsql;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Users;

/// <summary>A person's place in one organization.</summary>
/// <param name="TenantId">The organization.</param>
/// <param name="Organization">What it is called.</param>
/// <param name="Role">What the person is there.</param>
/// <param name="IsActive">Neither the person, there, nor the organization is suspended.</param>
internal sealed record Membership(Guid TenantId, string Organization, Role Role, bool IsActive);

/// <summary>The organizations that a person belongs to.</summary>
[Singleton]
internal sealed class Memberships(Database database)
{
    /// <summary>All of a person's memberships, the oldest organization first; suspended ones included, and those where the person was erased left out.</summary>
    public async Task<IReadOnlyList<Membership>> ListAsync(Guid userId, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            select u.tenant_id, o.data ->> 'name', u.data ->> 'role',
                u.data ->> 'suspendedAt' is null and o.data ->> 'suspendedAt' is null
            from documents.user u
            join documents.organization o on o.tenant_id = u.tenant_id and o.id = u.tenant_id
            where u.id = $1 and u.data ->> 'removedAt' is null
              and not exists (
                select from platform.subject_keys k
                where k.tenant_id = u.tenant_id and k.subject_id = u.id and k.erased_at is not null
              )
            order by u.tenant_id
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = userId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var memberships = new List<Membership>();
        while (await reader.ReadAsync(cancellationToken))
            memberships.Add(
                new Membership(
                    reader.GetGuid(0),
                    reader.GetString(1),
                    Enum.Parse<Role>(reader.GetString(2), ignoreCase: true),
                    reader.GetBoolean(3)
                )
            );
        return memberships;
    }
}
