using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.ExternalIdentity.Providers;

/// <summary>Finds a provider for somebody who is not logged in yet, so that its id is all there is to find it by.</summary>
[Singleton]
internal sealed class ActiveProviders(Database database, DocumentStore documents)
{
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
