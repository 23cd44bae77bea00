using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>Ends the uploads that an instance of the gateway has left behind: the provider may have the file or not.</summary>
[Singleton]
internal sealed class LostUploads(Database database, DocumentStore documents)
{
    /// <summary>Ends what this instance was sending when it ended itself.</summary>
    /// <returns>How many uploads.</returns>
    public async Task<int> CloseAsync(Guid instance, CancellationToken cancellationToken)
    {
        var lost = 0;
        foreach (var (tenantId, id) in await ReadAsync(instance, cancellationToken))
        {
            var context = new AppendContext(tenantId, "system:recovery", "");
            var isOpen = false;
            await documents.DecideAsync<ProviderFile>(
                context,
                id,
                file =>
                {
                    isOpen = file is { Status: ProviderFileStatus.Uploading };
                    return isOpen ? Decision.Append(new FileUploadLost(instance)) : Decision.Nothing;
                },
                cancellationToken
            );
            if (isOpen)
                lost++;
        }
        return lost;
    }

    /// <summary>Whether some that this instance sends, or sent, are not at their end.</summary>
    public async Task<bool> AreOpenAsync(Guid instance, CancellationToken cancellationToken) =>
        (await ReadAsync(instance, cancellationToken)).Count > 0;

    // Of all organizations.
    private async Task<List<(Guid TenantId, Guid Id)>> ReadAsync(Guid instance, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            select tenant_id, id from documents.provider_file
            where data ->> 'status' = 'uploading' and data ->> 'instance' = $1
            """
        );
        command.Parameters.Add(new Npgsql.NpgsqlParameter<string> { TypedValue = instance.ToString() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var open = new List<(Guid, Guid)>();
        while (await reader.ReadAsync(cancellationToken))
            open.Add((reader.GetGuid(0), reader.GetGuid(1)));
        return open;
    }
}
