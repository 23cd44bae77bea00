using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.OAuth.Clients;

/// <summary>A client as the protocol's endpoints need it.</summary>
/// <param name="Id">Its <c>client_id</c>.</param>
/// <param name="TenantId">The organization that registered it.</param>
/// <param name="Settings">What was decided about it.</param>
/// <param name="IsActive">Whether it gets tokens, and those that it has work.</param>
/// <param name="Secrets">Hashes of its secrets, and when each ends.</param>
internal sealed record KnownClient(
    Guid Id,
    Guid TenantId,
    ClientSettings Settings,
    bool IsActive,
    IReadOnlyList<KnownSecret> Secrets
)
{
    /// <summary>Whether this is one of its secrets, now.</summary>
    public bool HasSecret(string secret, DateTimeOffset now)
    {
        var hash = ClientSecret.HashOf(secret);
        var isOne = false;
        foreach (var known in Secrets)
            isOne |= CryptographicOperations.FixedTimeEquals(hash, known.Hash) && !(known.ExpiresAt <= now);
        return isOne;
    }
}

/// <summary>A secret that a client has, or had until lately.</summary>
internal sealed record KnownSecret(byte[] Hash, DateTimeOffset? ExpiresAt);

/// <summary>
/// Finds clients by their id alone. Remembered, so that a request costs no database read; forgotten as soon as this instance hears
/// from the log that something about the client has changed.
/// </summary>
internal sealed class OAuthClients(Database database, EventCatalog catalog, TimeProvider time) : ILogObserver
{
    // What bounds the memory; past it everything is forgotten and learnt again.
    private const int MaxRemembered = 10_000;

    // A second line of defence, should an event ever be missed.
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Guid, Remembered> _remembered = new();

    // Grows with every forgetting: what was read before it may be stale and is not remembered.
    private long _generation;

    private sealed record Remembered(KnownClient Client, DateTimeOffset ReadAt);

    public IReadOnlyCollection<Type> EventTypes { get; } =
    [
        typeof(OAuthClientChanged),
        typeof(OAuthClientSecretRotated),
        typeof(OAuthClientSuspended),
        typeof(OAuthClientReactivated),
        typeof(OAuthClientDeleted),
    ];

    /// <summary>The client, or null when there is none of this id, whatever its organization.</summary>
    public ValueTask<KnownClient?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        _remembered.TryGetValue(id, out var known) && time.GetUtcNow() - known.ReadAt < MaxAge
            ? ValueTask.FromResult<KnownClient?>(known.Client)
            : new ValueTask<KnownClient?>(ReadAsync(id, cancellationToken));

    public void Forget(Guid id)
    {
        Interlocked.Increment(ref _generation);
        _remembered.TryRemove(id, out _);
    }

    public void Observe(RecordedEvent recorded, IEvent @event) => Forget(recorded.StreamId);

    public void Reset()
    {
        Interlocked.Increment(ref _generation);
        _remembered.Clear();
    }

    private async Task<KnownClient?> ReadAsync(Guid id, CancellationToken cancellationToken)
    {
        var generation = Interlocked.Read(ref _generation);
        var now = time.GetUtcNow();
        await using var command = database.Writes.CreateCommand(
            """
            select c.tenant_id, c.data::text, s.hash, s.expires_at
            from documents.oauth_client c
            left join identity.oauth_client_secrets s on s.tenant_id = c.tenant_id and s.client_id = c.id
            where c.id = $1
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        (Guid TenantId, OAuthClient Client)? found = null;
        var secrets = new List<KnownSecret>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found ??= (
                reader.GetGuid(0),
                JsonSerializer.Deserialize<OAuthClient>(reader.GetFieldValue<byte[]>(1), catalog.Json)!
            );
            if (!await reader.IsDBNullAsync(2, cancellationToken))
                secrets.Add(
                    new KnownSecret(
                        reader.GetFieldValue<byte[]>(2),
                        await reader.IsDBNullAsync(3, cancellationToken)
                            ? null
                            : reader.GetFieldValue<DateTimeOffset>(3)
                    )
                );
        }
        if (found is not { } row)
            return null;

        var client = new KnownClient(id, row.TenantId, row.Client.Settings, row.Client.IsActive, secrets);
        if (_remembered.Count >= MaxRemembered)
            _remembered.Clear();
        _remembered[id] = new Remembered(client, now);
        if (generation != Interlocked.Read(ref _generation))
            _remembered.TryRemove(id, out _);
        return client;
    }
}
