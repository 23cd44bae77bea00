using System.Text.Json;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Organizations;

/// <summary>All organizations of the installation: the one list that no tenant bounds, for those alone who run it.</summary>
internal sealed class OrganizationDirectory(Database database, DocumentStore store, EventCatalog catalog)
{
    /// <summary>The caller's own organization or, for who runs the installation, any; null when there is none of this id within reach.</summary>
    public async Task<Versioned<Organization>?> FindAsync(
        Caller caller,
        Guid id,
        CancellationToken cancellationToken
    ) =>
        caller.RunsInstallation || caller.TenantId == id
            ? await store.LoadAsync<Organization>(Access.ToAll(id), id, cancellationToken)
            : null;

    /// <summary>Newest first.</summary>
    /// <param name="before">Only those with a smaller id, or null for the newest.</param>
    /// <param name="isSuspended">Only those that are suspended, or only those that are not; null for all.</param>
    /// <param name="limit">The most rows to read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<List<(Guid Id, Organization Organization)>> ListAsync(
        Guid? before,
        bool? isSuspended,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            """
            select id, data::text from documents.organization
            where id < $1 and ($2::boolean is null or (data ->> 'suspendedAt' is not null) = $2)
            order by id desc limit $3
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = before ?? Guid.AllBitsSet });
        command.Parameters.Add(new NpgsqlParameter { Value = isSuspended ?? (object)DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var organizations = new List<(Guid, Organization)>();
        while (await reader.ReadAsync(cancellationToken))
            organizations.Add(
                (
                    reader.GetGuid(0),
                    JsonSerializer.Deserialize<Organization>(reader.GetFieldValue<byte[]>(1), catalog.Json)!
                )
            );
        return organizations;
    }
}
