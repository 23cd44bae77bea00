using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>Who stands behind the secret of an API key.</summary>
internal sealed class ApiKeyCallers
{
    private readonly Database _database;
    private readonly EventCatalog _catalog;
    private readonly CallerCache _callers;

    public ApiKeyCallers(Database database, EventCatalog catalog, Standings standings, TimeProvider time)
    {
        _database = database;
        _catalog = catalog;
        _callers = new CallerCache(standings, time, ReadAsync);
    }

    // What of a key's row decides; its name is sealed, and is not needed.
    private sealed record ApiKeyRights(
        IReadOnlyList<string> Scopes,
        Guid UserId,
        DateTimeOffset? ExpiresAt,
        DateTimeOffset? RevokedAt
    );

    /// <summary>The result of authenticating with this secret, or null when it is nobody's.</summary>
    public ValueTask<AuthenticateResult?> FindAsync(ReadOnlySpan<char> secret, CancellationToken cancellationToken) =>
        _callers.FindAsync(SecretHash.Of(secret), cancellationToken);

    private async Task<FoundCaller?> ReadAsync(SecretHash hash, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = _database.Writes.CreateCommand(
            $"""
            select s.tenant_id, s.api_key_id, k.data::text, p.role
            from identity.api_key_secrets s
            join documents.api_key k on k.tenant_id = s.tenant_id and k.id = s.api_key_id
            join {Principals.Active} p on p.tenant_id = s.tenant_id and p.id = (k.data ->> 'userId')::uuid
            where s.hash = $1
            """
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = hash.ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;

        var tenantId = reader.GetGuid(0);
        var id = reader.GetGuid(1);
        var key = JsonSerializer.Deserialize<ApiKeyRights>(reader.GetFieldValue<byte[]>(2), _catalog.Json)!;
        if (key.RevokedAt is not null || key.ExpiresAt <= now)
            return null;

        // A key never does more than its maker may do now.
        var role = Principals.RoleOf(reader.GetString(3));
        var caller = new Caller(
            tenantId,
            $"api-key:{id}",
            key.UserId,
            key.Scopes.Where(RoleScopes.Of(role).Contains).ToHashSet(StringComparer.Ordinal)
        )
        {
            Reach = RoleScopes.ReachOf(role),
        };
        return new FoundCaller(caller, key.ExpiresAt, [id, key.UserId, tenantId]);
    }
}
