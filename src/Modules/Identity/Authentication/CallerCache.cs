using System.Collections.Concurrent;
using Microsoft.AspNetCore.Authentication;

namespace Verbatim.Modules.Identity.Authentication;

/// <summary>Finds who stands behind an opaque secret: in memory, or else in the database.</summary>
internal sealed class CallerCache(
    Standings standings,
    TimeProvider time,
    Func<SecretHash, DateTimeOffset, CancellationToken, Task<FoundCaller?>> read
)
{
    // What bounds the memory; past it everything is forgotten and learnt again.
    private const int MaxRemembered = 100_000;

    private readonly ConcurrentDictionary<SecretHash, RememberedCaller> _remembered = new();

    /// <summary>The result of authenticating with this secret, or null when it is nobody's.</summary>
    public async ValueTask<AuthenticateResult?> FindAsync(SecretHash hash, CancellationToken cancellationToken) =>
        (await FindCallerAsync(hash, time.GetUtcNow(), cancellationToken))?.Result;

    /// <summary>Who stands behind this secret, or null when it is nobody's.</summary>
    public ValueTask<RememberedCaller?> FindCallerAsync(
        SecretHash hash,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (_remembered.TryGetValue(hash, out var known) && known.HoldsAt(now))
            return ValueTask.FromResult(known.IsExpiredAt(now) ? null : known);
        return new ValueTask<RememberedCaller?>(ReadAsync(hash, now, cancellationToken));
    }

    private async Task<RememberedCaller?> ReadAsync(
        SecretHash hash,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var generation = standings.Generation;
        if (await read(hash, now, cancellationToken) is not { } found)
        {
            _remembered.TryRemove(hash, out _);
            return null;
        }
        if (_remembered.Count >= MaxRemembered)
            _remembered.Clear();
        return _remembered[hash] = standings.Remember(found, generation);
    }
}
