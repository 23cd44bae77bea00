using System.Collections.Concurrent;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>
/// Who stands behind a secret. Remembered, so that a request costs no database read; forgotten as soon as this instance hears from the log
/// that the key was revoked, whichever instance did it.
/// </summary>
internal sealed class ApiKeyCallers(Database database, EventCatalog catalog, TimeProvider time) : ILogObserver
{
    // What bounds the memory; past it everything is forgotten and learnt again.
    private const int MaxRemembered = 100_000;

    // A second line of defence, should an event ever be missed.
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<SecretHash, Remembered> _remembered = new();

    // Grows with every forgetting: what was read before it may be stale and is not remembered.
    private long _generation;

    private sealed record Remembered(
        Guid ApiKeyId,
        AuthenticateResult Result,
        DateTimeOffset? ExpiresAt,
        DateTimeOffset ReadAt
    );

    // What of a key's row decides; its name is sealed, and is not needed.
    private sealed record ApiKeyRights(
        IReadOnlyList<string> Scopes,
        Guid UserId,
        DateTimeOffset? ExpiresAt,
        DateTimeOffset? RevokedAt
    );

    public IReadOnlyCollection<Type> EventTypes { get; } = [typeof(ApiKeyRevoked)];

    /// <summary>The result of authenticating with this secret, or null when it is nobody's.</summary>
    public ValueTask<AuthenticateResult?> FindAsync(ReadOnlySpan<char> secret, CancellationToken cancellationToken)
    {
        var hash = ApiKeySecret.HashOf(secret);
        var now = time.GetUtcNow();
        if (_remembered.TryGetValue(hash, out var known) && now - known.ReadAt < MaxAge)
            return ValueTask.FromResult(known.ExpiresAt <= now ? null : known.Result);
        return new ValueTask<AuthenticateResult?>(ReadAsync(hash, now, cancellationToken));
    }

    public void Forget(Guid apiKeyId)
    {
        Interlocked.Increment(ref _generation);
        foreach (var (hash, remembered) in _remembered)
        {
            if (remembered.ApiKeyId == apiKeyId)
                _remembered.TryRemove(hash, out _);
        }
    }

    public void Observe(RecordedEvent recorded, IEvent @event) => Forget(recorded.StreamId);

    public void Reset()
    {
        Interlocked.Increment(ref _generation);
        _remembered.Clear();
    }

    private async Task<AuthenticateResult?> ReadAsync(
        SecretHash hash,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var generation = Interlocked.Read(ref _generation);
        await using var command = database.Writes.CreateCommand(
            """
            select s.tenant_id, s.api_key_id, k.data::text, u.data ->> 'role'
            from identity.api_key_secrets s
            join documents.api_key k on k.tenant_id = s.tenant_id and k.id = s.api_key_id
            join documents.user u on u.tenant_id = s.tenant_id and u.id = (k.data ->> 'userId')::uuid
            where s.hash = $1
            """
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = hash.ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;

        var tenantId = reader.GetGuid(0);
        var id = reader.GetGuid(1);
        var key = JsonSerializer.Deserialize<ApiKeyRights>(reader.GetFieldValue<byte[]>(2), catalog.Json)!;
        if (key.RevokedAt is not null || key.ExpiresAt <= now)
            return null;

        // A key never does more than its maker may do now.
        var scopes = RoleScopes.Of(Enum.Parse<Role>(reader.GetString(3), ignoreCase: true));
        var caller = new Caller(
            tenantId,
            $"api-key:{id}",
            key.UserId,
            key.Scopes.Where(scopes.Contains).ToHashSet(StringComparer.Ordinal)
        );
        var principal = new ClaimsPrincipal(new CallerIdentity(caller, CredentialHandler.Scheme));
        var result = AuthenticateResult.Success(new AuthenticationTicket(principal, CredentialHandler.Scheme));

        if (_remembered.Count >= MaxRemembered)
            _remembered.Clear();
        _remembered[hash] = new Remembered(id, result, key.ExpiresAt, now);
        if (generation != Interlocked.Read(ref _generation))
            _remembered.TryRemove(hash, out _);
        return result;
    }
}
