using Npgsql;
using Verbatim.Modules.Identity.ApiKeys;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Users;

/// <summary>An erased person cannot log in any more, and their API keys are revoked.</summary>
internal sealed class EraseCredentials(Database database, DocumentStore store, Standings standings, TimeProvider time)
    : IErasureStep
{
    public string Name => "credentials";

    public async Task<long> EraseAsync(AppendContext context, Guid subjectId, CancellationToken cancellationToken)
    {
        var keys = await ReadAsync(
            "select id from documents.api_key where tenant_id = $1 and data ->> 'principalId' = $2::text and data ->> 'revokedAt' is null",
            context.TenantId,
            subjectId,
            cancellationToken
        );
        foreach (var key in keys)
        {
            await store.DecideAsync<ApiKey>(
                context,
                key,
                current => RevokeApiKey.Decide(current, context.TenantId, key, time.GetUtcNow()),
                cancellationToken
            );
            // This instance need not wait to hear it from the log.
            standings.Forget(key);
        }
        var passwords = await ReadAsync(
            "delete from identity.passwords where tenant_id = $1 and user_id = $2 returning user_id",
            context.TenantId,
            subjectId,
            cancellationToken
        );
        return keys.Count + passwords.Count;
    }

    private async Task<List<Guid>> ReadAsync(
        string sql,
        Guid tenantId,
        Guid subjectId,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = subjectId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ids = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken))
            ids.Add(reader.GetGuid(0));
        return ids;
    }
}
