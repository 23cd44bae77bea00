using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.ExternalIdentity.Providers;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.ExternalIdentity.Logins;

/// <summary>
/// Access tokens of providers that an organization trusts on the API: of people who have logged in with the provider before. Found out
/// once for each token; a provider that is disabled, and a person who is suspended, end that within a second on every instance.
/// </summary>
internal sealed class ExternalTokens(
    Database database,
    DocumentStore documents,
    ProviderDocuments providers,
    ExternalPeople people,
    Principals principals,
    Standings standings,
    TimeProvider time
) : ILogObserver
{
    // What bounds the memory; past it everything is forgotten and learnt again.
    private const int MaxRemembered = 10_000;

    private static readonly TimeSpan TrustedAge = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<TokenDigest, RememberedCaller> _remembered = new();
    private volatile TrustedIssuers? _trusted;

    // Grows with every forgetting: what was read before it may be stale and is not remembered.
    private long _generation;

    private sealed record TrustedIssuers(ILookup<string, (Guid TenantId, Guid Id)> ByIssuer, DateTimeOffset ReadAt);

    public IReadOnlyCollection<Type> EventTypes { get; } =
    [typeof(IdentityProviderRegistered), typeof(IdentityProviderChanged), typeof(IdentityProviderDeleted)];

    public void Observe(RecordedEvent recorded, IEvent @event) => Reset();

    public void Reset()
    {
        Interlocked.Increment(ref _generation);
        _trusted = null;
    }

    /// <summary>The result of authenticating with this token, or null when it is no trusted provider's, or nobody's.</summary>
    public async ValueTask<AuthenticateResult?> AuthenticateAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length > Jws.MaxLength)
            return null;
        var now = time.GetUtcNow();
        var digest = TokenDigest.Of(token);
        if (_remembered.TryGetValue(digest, out var known) && known.HoldsAt(now))
            return known.IsExpiredAt(now) ? null : known.Result;
        // Not trusted yet: only whom to ask is read from it.
        if (IssuerOf(token) is not { } issuer)
            return null;
        var generation = standings.Generation;
        var candidates = (await ReadTrustedAsync(now, cancellationToken)).ByIssuer[issuer].ToList();
        FoundCaller? found = null;
        foreach (var (tenantId, id) in candidates)
        {
            if (await FindAsync(tenantId, id, token, now, cancellationToken) is not { } caller)
                continue;
            // Of two organizations that it would open it cannot be told which is meant.
            if (found is not null)
                return null;
            found = caller;
        }
        if (found is null)
            return null;
        if (_remembered.Count >= MaxRemembered)
            _remembered.Clear();
        var remembered = standings.Remember(found, generation);
        _remembered[digest] = remembered;
        return remembered.Result;
    }

    private async Task<FoundCaller?> FindAsync(
        Guid tenantId,
        Guid id,
        string token,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        // Read anew, and not from the list, which may be a moment older than what is remembered rests on.
        var provider = await documents.LoadAsync<IdentityProvider>(Access.ToAll(tenantId), id, cancellationToken);
        if (provider is not { Value: { IsActive: true, Settings: { ApiAudience: { } audience } settings } })
            return null;
        byte[]? payload;
        try
        {
            var discovered = await providers.DiscoverAsync(settings.Issuer, cancellationToken);
            payload = await providers.VerifyAsync(discovered, token, cancellationToken);
        }
        catch (ProviderException)
        {
            return null;
        }
        if (
            payload is null
            || ExternalClaims.ReadAccess(payload, settings.Issuer, audience, now) is not var (subject, end)
        )
            return null;
        if (
            await people.FindAsync(id, settings, subject, cancellationToken) is not { } userId
            || await principals.FindRoleAsync(tenantId, userId, loginId: null, clientId: null, now, cancellationToken)
                is not { } role
        )
            return null;
        var caller = new Caller(tenantId, $"user:{userId}", userId, RoleScopes.Of(role))
        {
            Reach = RoleScopes.ReachOf(role),
        };
        return new FoundCaller(caller, end, [id, userId, tenantId]);
    }

    private async Task<TrustedIssuers> ReadTrustedAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (_trusted is { } known && now - known.ReadAt < TrustedAge)
            return known;
        var generation = Interlocked.Read(ref _generation);
        await using var command = database.Writes.CreateCommand(
            """
            select tenant_id, id, data -> 'settings' ->> 'issuer' from documents.identity_provider
            where data -> 'settings' ->> 'apiAudience' is not null and data ->> 'deletedAt' is null
            """
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<(string Issuer, Guid TenantId, Guid Id)>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add((reader.GetString(2), reader.GetGuid(0), reader.GetGuid(1)));
        var trusted = new TrustedIssuers(
            rows.ToLookup(r => r.Issuer, r => (r.TenantId, r.Id), StringComparer.Ordinal),
            now
        );
        _trusted = trusted;
        if (generation != Interlocked.Read(ref _generation))
            _trusted = null;
        return trusted;
    }

    private static string? IssuerOf(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3 || !Base64Url.IsValid(parts[1]))
            return null;
        var payload = Base64Url.DecodeFromChars(parts[1]);
        if (!StrictJson.IsUnambiguousObject(payload))
            return null;
        using var json = JsonDocument.Parse(payload);
        return json.RootElement.TryGetProperty("iss", out var issuer) && issuer.ValueKind == JsonValueKind.String
            ? issuer.GetString()
            : null;
    }
}
