using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>Who stands behind the secret of an API key.</summary>
[Singleton]
internal sealed class ApiKeyCallers
{
    private readonly Database _database;
    private readonly EventCatalog _catalog;
    private readonly CallerCache _callers;
    private readonly ApiKeyUses _uses;
    private readonly TimeProvider _time;

    public ApiKeyCallers(
        Database database,
        EventCatalog catalog,
        Standings standings,
        ApiKeyUses uses,
        TimeProvider time
    )
    {
        _uses = uses;
        _time = time;
        _database = database;
        _catalog = catalog;
        _callers = new CallerCache(standings, time, ReadAsync);
    }

    // What of a key's row decides; its name is sealed, and is not needed.
    private sealed record ApiKeyRights(
        IReadOnlyList<string> Scopes,
        Guid PrincipalId,
        DateTimeOffset? ExpiresAt,
        DateTimeOffset? RevokedAt,
        IReadOnlyList<string> AllowedAddresses,
        Guid? ProjectId
    );

    /// <summary>The result of authenticating with this secret, or null when it is nobody's.</summary>
    public ValueTask<AuthenticateResult?> FindAsync(ReadOnlySpan<char> secret, HttpContext context) =>
        FindAsync(SecretHash.Of(secret), context);

    private async ValueTask<AuthenticateResult?> FindAsync(SecretHash hash, HttpContext context)
    {
        var now = _time.GetUtcNow();
        if (await _callers.FindCallerAsync(hash, now, context.RequestAborted) is not { } found)
            return null;
        if (!found.Terms!.Allow(context.Connection.RemoteIpAddress))
        {
            context.Features.Set(AddressDenied.Instance);
            return AddressDenied.Of(found.Caller);
        }
        found.Terms.Use.Touch(now);
        return found.Result;
    }

    private async Task<FoundCaller?> ReadAsync(SecretHash hash, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = _database.Writes.CreateCommand(
            $"""
            select s.tenant_id, s.api_key_id, k.data::text, p.role, s.valid_until
            from identity.api_key_secrets s
            join documents.api_key k on k.tenant_id = s.tenant_id and k.id = s.api_key_id
            join {Principals.Active} p on p.tenant_id = s.tenant_id and p.id = (k.data ->> 'principalId')::uuid
            where s.hash = $1 and (s.valid_until is null or s.valid_until > $2)
            """
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = hash.ToArray() });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = now.UtcDateTime });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;

        var tenantId = reader.GetGuid(0);
        var id = reader.GetGuid(1);
        var key = JsonSerializer.Deserialize<ApiKeyRights>(reader.GetFieldValue<byte[]>(2), _catalog.Json)!;
        if (key.RevokedAt is not null || key.ExpiresAt <= now)
            return null;

        // A key never does more than its principal may do now.
        var role = Principals.RoleOf(reader.GetString(3));
        var caller = new Caller(
            tenantId,
            $"api-key:{id}",
            key.PrincipalId,
            key.Scopes.Where(RoleScopes.Of(role).Contains).ToHashSet(StringComparer.Ordinal)
        )
        {
            Reach = RoleScopes.ReachOf(role),
            ProjectId = key.ProjectId,
        };
        DateTimeOffset? graceEndsAt = await reader.IsDBNullAsync(4, cancellationToken)
            ? null
            : new DateTimeOffset(reader.GetDateTime(4), TimeSpan.Zero);
        return new FoundCaller(
            caller,
            graceEndsAt < key.ExpiresAt ? graceEndsAt : key.ExpiresAt ?? graceEndsAt,
            [id, key.PrincipalId, tenantId]
        )
        {
            Terms = new ApiKeyTerms(AddressRange.ParseAll(key.AllowedAddresses), _uses.Of(tenantId, id)),
        };
    }
}
