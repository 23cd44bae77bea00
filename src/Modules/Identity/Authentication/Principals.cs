using Npgsql;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Authentication;

/// <summary>Whoever may act in an organization: what they are there now.</summary>
[Singleton]
internal sealed class Principals(Database database)
{
    /// <summary>
    /// A table expression: the principals that are not suspended, of organizations that are not, as <c>tenant_id</c>, <c>id</c> and <c>role</c>.
    /// </summary>
    public const string Active = """
        (
            select p.tenant_id, p.id, p.role
            from (
                select u.tenant_id, u.id, u.data ->> 'role' as role
                from documents.user u
                where u.data ->> 'suspendedAt' is null and u.data ->> 'removedAt' is null
                  and not exists (
                    select from platform.subject_keys k
                    where k.tenant_id = u.tenant_id and k.subject_id = u.id and k.erased_at is not null
                  )
                union all
                select a.tenant_id, a.id, a.data ->> 'role' as role
                from documents.service_account a
                where a.data ->> 'suspendedAt' is null
                union all
                select c.tenant_id, c.id, c.data -> 'settings' ->> 'role'
                from documents.oauth_client c
                where c.data ->> 'suspendedAt' is null and c.data ->> 'deletedAt' is null
                  and c.data -> 'settings' ->> 'role' is not null
            ) p
            join documents.organization o on o.tenant_id = p.tenant_id and o.id = p.tenant_id
            where o.data ->> 'suspendedAt' is null
        )
        """;

    /// <summary>
    /// The role that a principal has now, or null when there is none, or one that is suspended, or its login has ended, or the OAuth client that
    /// acts for it is suspended.
    /// </summary>
    public async Task<Role?> FindRoleAsync(
        Guid tenantId,
        Guid principalId,
        Guid? loginId,
        Guid? clientId,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            $"""
            select p.role from {Active} p
            where p.tenant_id = $1 and p.id = $2
              and ($3::uuid is null or exists (
                select from documents.login l
                where l.tenant_id = $1 and l.id = $3 and l.data ->> 'userId' = $2::text
                  and l.data ->> 'endedAt' is null and (l.data ->> 'endsAt')::timestamptz > $4
              ))
              and ($5::uuid is null or exists (
                select from documents.oauth_client c
                where c.tenant_id = $1 and c.id = $5
                  and c.data ->> 'suspendedAt' is null and c.data ->> 'deletedAt' is null
              ))
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = principalId });
        command.Parameters.Add(new NpgsqlParameter { Value = loginId ?? (object)DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = now.UtcDateTime });
        command.Parameters.Add(new NpgsqlParameter { Value = clientId ?? (object)DBNull.Value });
        return await command.ExecuteScalarAsync(cancellationToken) is string role ? RoleOf(role) : null;
    }

    public static Role RoleOf(string stored) => Enum.Parse<Role>(stored, ignoreCase: true);
}
