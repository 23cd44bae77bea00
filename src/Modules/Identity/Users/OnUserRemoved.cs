using Npgsql;
using Verbatim.Modules.Identity.ApiKeys;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;

namespace Verbatim.Modules.Identity.Users;

/// <summary>
/// Ends the keys and logins that a person had in the organization. They have been without effect since the removal; this keeps them so should
/// the person join again.
/// </summary>
[Subscription("identity.end-credentials-of-removed")]
internal static class OnUserRemoved
{
    public static async Task HandleAsync(
        UserRemoved removed,
        Message message,
        DocumentStore store,
        Standings standings,
        LoginEnder logins,
        CancellationToken cancellationToken
    )
    {
        var recorded = message.Recorded;
        var context = new AppendContext(recorded.TenantId, "system:removal", recorded.Correlation);
        foreach (var key in await FindAsync("api_key", "principalId", "revokedAt", message, cancellationToken))
        {
            await store.DecideAsync<ApiKey>(
                context,
                key,
                current => RevokeApiKey.Decide(current, recorded.TenantId, key, removed.RemovedAt),
                cancellationToken
            );
            standings.Forget(key);
        }
        foreach (var login in await FindAsync("login", "userId", "endedAt", message, cancellationToken))
            await logins.EndAsync(context, login, LoginEndReason.Revoked, cancellationToken);
    }

    // Those that were there at the removal: a person who has joined again since keeps what they have made since.
    private static async Task<List<Guid>> FindAsync(
        string table,
        string person,
        string end,
        Message message,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            $"""
            select d.id from documents.{table} d
            where d.tenant_id = $1 and d.data ->> '{person}' = $2::text and d.data ->> '{end}' is null
              and exists (
                select from platform.events e
                where e.tenant_id = d.tenant_id and e.stream_id = d.id and e.version = 1 and e.position < $3
              )
            """,
            message.Transaction.Connection,
            message.Transaction
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = message.Recorded.TenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = message.Recorded.StreamId });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = message.Recorded.Position });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ids = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken))
            ids.Add(reader.GetGuid(0));
        return ids;
    }
}
