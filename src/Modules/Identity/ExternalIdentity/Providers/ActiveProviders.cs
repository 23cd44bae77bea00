using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.ExternalIdentity.Providers;

/// <summary>A provider on the login page.</summary>
/// <param name="Id">The provider.</param>
/// <param name="Name">What stands on its button.</param>
internal sealed record OfferedProvider(Guid Id, string Name);

/// <summary>Finds providers for somebody who is not logged in yet.</summary>
[Singleton]
internal sealed class ActiveProviders(Database database, DocumentStore documents)
{
    private const int MaxOffered = 10;

    /// <summary>
    /// What the login page offers: an organization's providers, oldest first. Without an organization those of the only one that has any; where
    /// several have, none: whose people somebody is cannot be told before they have logged in.
    /// </summary>
    public async Task<IReadOnlyList<OfferedProvider>> ListOfferedAsync(
        Guid? organizationId,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            """
            with offered as (
                select p.tenant_id, p.id, p.data -> 'settings' ->> 'name' as name
                from documents.identity_provider p
                join documents.organization o on o.tenant_id = p.tenant_id and o.id = p.tenant_id
                where p.data ->> 'deletedAt' is null and p.data -> 'settings' ->> 'isEnabled' = 'true'
                  and o.data ->> 'suspendedAt' is null and ($1::uuid is null or p.tenant_id = $1)
            )
            select id, name from offered
            where $1::uuid is not null or (select count(*) from (select distinct tenant_id from offered limit 2) t) = 1
            order by id limit $2
            """
        );
        command.Parameters.Add(new NpgsqlParameter { Value = organizationId ?? (object)DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = MaxOffered });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var offered = new List<OfferedProvider>();
        while (await reader.ReadAsync(cancellationToken))
            offered.Add(new OfferedProvider(reader.GetGuid(0), reader.GetString(1)));
        return offered;
    }

    /// <summary>The provider and its organization; null when there is none, or either is switched off.</summary>
    public async Task<(Guid TenantId, ProviderSettings Provider)?> FindAsync(
        Guid id,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            """
            select p.tenant_id from documents.identity_provider p
            join documents.organization o on o.tenant_id = p.tenant_id and o.id = p.tenant_id
            where p.id = $1 and o.data ->> 'suspendedAt' is null
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        if (await command.ExecuteScalarAsync(cancellationToken) is not Guid tenantId)
            return null;
        var provider = await documents.LoadAsync<IdentityProvider>(Access.ToAll(tenantId), id, cancellationToken);
        return provider is { Value: { IsActive: true } active } ? (tenantId, active.Settings) : null;
    }
}
