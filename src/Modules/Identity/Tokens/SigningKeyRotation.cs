using System.Globalization;
using Microsoft.Extensions.Configuration;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Platform.Configuration;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// Replaces the key that signs tokens: the new one is published ahead of its time, the old one verifies until its tokens have ended, and is
/// then deleted.
/// </summary>
/// <exception cref="SettingException">A setting is wrong.</exception>
[Singleton]
internal sealed class SigningKeyRotation(
    IConfiguration configuration,
    FirstOrganization organization,
    SigningKeys keys,
    DocumentStore store,
    TimeProvider time
)
{
    private const int DefaultDays = 90;
    private const int DefaultAheadSeconds = 600;

    // An instance hears of a key within a second.
    private const int MinAheadSeconds = 2;

    // How long a new key is published before it signs.
    private readonly TimeSpan _ahead = TimeSpan.FromSeconds(
        Read(
            configuration,
            "Identity:SigningKeyPublishAheadSeconds",
            DefaultAheadSeconds,
            MinAheadSeconds,
            max: 7 * 86_400
        )
    );

    // The age at which a key is replaced by itself; null: never.
    private readonly TimeSpan? _maxAge = Read(configuration, "Identity:SigningKeyDays", DefaultDays, min: 0, max: 3650)
        is > 0
            and var days
        ? TimeSpan.FromDays(days)
        : null;

    /// <summary>Publishes a new key.</summary>
    /// <returns>The key, or null on a database that no server has started on yet.</returns>
    public async Task<SigningKeyPublished?> RotateAsync(string actor, CancellationToken cancellationToken)
    {
        if (await organization.FindAsync(cancellationToken) is not { } tenantId)
            return null;
        var key = SigningKey.Generate();
        var now = time.GetUtcNow();
        var published = new SigningKeyPublished(key.KeyId, now, now + _ahead);
        await store.DecideAsync<SigningKeyRing>(
            new AppendContext(tenantId, actor, Correlation: ""),
            SigningKeyRing.Id,
            _ => Decision.Append(published).AlsoWriting(keys.Store(key, now, published.SignsFrom)),
            cancellationToken
        );
        return published;
    }

    /// <summary>
    /// Publishes a new key that signs at once, and deletes all others with what they verify: for when somebody else may have one of them.
    /// </summary>
    /// <returns>The key, or null on a database that no server has started on yet.</returns>
    public async Task<SigningKeyPublished?> ReplaceAsync(string actor, CancellationToken cancellationToken)
    {
        if (await organization.FindAsync(cancellationToken) is not { } tenantId)
            return null;
        var key = SigningKey.Generate();
        var now = time.GetUtcNow();
        await store.DecideAsync<SigningKeyRing>(
            new AppendContext(tenantId, actor, Correlation: ""),
            SigningKeyRing.Id,
            ring => Carry(DecideReplacement(ring, key.KeyId, now), key),
            cancellationToken
        );
        return new SigningKeyPublished(key.KeyId, now, now);
    }

    /// <summary>What replaces all keys of a ring.</summary>
    internal static IReadOnlyList<IEvent> DecideReplacement(
        SigningKeyRing? ring,
        string newKeyId,
        DateTimeOffset now
    ) =>
        [
            new SigningKeyPublished(newKeyId, now, SignsFrom: now),
            .. (ring?.Keys ?? []).Select(k => new SigningKeyRetired(k.KeyId, now)),
        ];

    /// <summary>Publishes a new key when the newest is old enough, and deletes those that verify nothing any more.</summary>
    public async Task MaintainAsync(CancellationToken cancellationToken)
    {
        var tenantId = await organization.GetIdAsync(cancellationToken);
        var key = SigningKey.Generate();
        await store.DecideAsync<SigningKeyRing>(
            new AppendContext(tenantId, "system:signing-keys", Correlation: ""),
            SigningKeyRing.Id,
            ring => Carry(Decide(ring!, key.KeyId, time.GetUtcNow(), _ahead, _maxAge), key),
            cancellationToken
        );
    }

    /// <summary>What the ring needs at a moment.</summary>
    internal static IReadOnlyList<IEvent> Decide(
        SigningKeyRing ring,
        string newKeyId,
        DateTimeOffset now,
        TimeSpan ahead,
        TimeSpan? maxAge
    )
    {
        var events = new List<IEvent>();
        var ordered = ring.Keys.OrderBy(k => k.SignsFrom).ToList();
        for (var i = 0; i + 1 < ordered.Count; i++)
        {
            if (ordered[i + 1].SignsFrom + KeySchedule.Overlap <= now)
                events.Add(new SigningKeyRetired(ordered[i].KeyId, now));
        }
        if (ordered[^1].PublishedAt + maxAge <= now)
            events.Add(new SigningKeyPublished(newKeyId, now, now + ahead));
        return events;
    }

    private Decision Carry(IReadOnlyList<IEvent> events, SigningKey key) =>
        events.Count == 0
            ? Decision.Nothing
            : Decision
                .Append(events)
                .AlsoWriting([
                    .. events.Select(e =>
                        e switch
                        {
                            SigningKeyPublished p => keys.Store(key, p.PublishedAt, p.SignsFrom),
                            SigningKeyRetired r => SigningKeys.Delete(r.KeyId),
                            _ => throw new UnexpectedEventException(typeof(SigningKeyRing), e),
                        }
                    ),
                ]);

    private static int Read(IConfiguration configuration, string name, int otherwise, int min, int max)
    {
        if (configuration[name] is not { Length: > 0 } text)
            return otherwise;
        return
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= min
            && number <= max
            ? number
            : throw new SettingException(
                string.Create(CultureInfo.InvariantCulture, $"{name} is '{text}'; valid is {min} to {max}.")
            );
    }
}
