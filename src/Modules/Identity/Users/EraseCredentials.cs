using Npgsql;
using Verbatim.Modules.Identity.ApiKeys;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Users;

/// <summary>
/// An erased person cannot log in to the organization any more: their logins end and their API keys are revoked. What they log in with goes too,
/// unless they belong to another organization, which then becomes its home.
/// </summary>
internal sealed class EraseCredentials(
    Database database,
    DocumentStore store,
    Memberships memberships,
    LoginEnder logins,
    Standings standings,
    TimeProvider time
) : IErasureStep
{
    public string Name => "credentials";

    public async Task<long> EraseAsync(AppendContext context, Guid subjectId, CancellationToken cancellationToken)
    {
        var keys = await RevokeKeysAsync(context, subjectId, cancellationToken);
        var ended = await logins.EndAllHereAsync(context, subjectId, LoginEndReason.Revoked, cancellationToken);
        var elsewhere = await memberships.ListAsync(subjectId, cancellationToken);
        var moved = elsewhere is [{ TenantId: var next }, ..]
            ? await MoveHomeAsync(context.TenantId, subjectId, next, cancellationToken)
            : await RemoveAsync(subjectId, cancellationToken);
        return keys + ended + moved;
    }

    private async Task<int> RevokeKeysAsync(AppendContext context, Guid subjectId, CancellationToken cancellationToken)
    {
        var keys = await FindKeysAsync(context.TenantId, subjectId, cancellationToken);
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
        return keys.Count;
    }

    private async Task<List<Guid>> FindKeysAsync(Guid tenantId, Guid subjectId, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "select id from documents.api_key where tenant_id = $1 and data ->> 'principalId' = $2::text and data ->> 'revokedAt' is null"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = subjectId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ids = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken))
            ids.Add(reader.GetGuid(0));
        return ids;
    }

    private async Task<int> MoveHomeAsync(Guid from, Guid userId, Guid to, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "update identity.passwords set tenant_id = $3 where user_id = $1 and tenant_id = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = userId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = from });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = to });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<int> RemoveAsync(Guid userId, CancellationToken cancellationToken)
    {
        await using var batch = database.Writes.CreateBatch();
        foreach (var table in new[] { "identity.passwords", "identity.second_factors", "identity.password_resets" })
        {
            var command = new NpgsqlBatchCommand($"delete from {table} where user_id = $1");
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = userId });
            batch.BatchCommands.Add(command);
        }
        return await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
