using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// Which keys sign the installation's tokens, and since when: one stream, recorded with the first organization. The private halves lie sealed
/// in a table.
/// </summary>
/// <param name="Keys">From the oldest to the newest; those that verify nothing any more are left out.</param>
[StreamType("signing-keys", Owner = DocumentOwner.Organization)]
internal sealed record SigningKeyRing(IReadOnlyList<PublishedKey> Keys) : IDocument<SigningKeyRing>
{
    /// <summary>The one stream.</summary>
    public static readonly Guid Id = Guid.Parse("01990000-0000-7000-8000-6b6579730001");

    public static SigningKeyRing Evolve(SigningKeyRing? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, SigningKeyPublished e) => new SigningKeyRing([PublishedKey.From(e)]),
            ({ } ring, SigningKeyPublished e) => new SigningKeyRing([.. ring.Keys, PublishedKey.From(e)]),
            ({ } ring, SigningKeyRetired e) => new SigningKeyRing([.. ring.Keys.Where(k => k.KeyId != e.KeyId)]),
            _ => throw new UnexpectedEventException(typeof(SigningKeyRing), @event),
        };
}

/// <summary>A key of the ring.</summary>
/// <param name="KeyId">Its <c>kid</c>.</param>
/// <param name="PublishedAt">Since when it is in the published key set.</param>
/// <param name="SignsFrom">Since when it signs, until the next one does.</param>
internal sealed record PublishedKey(string KeyId, DateTimeOffset PublishedAt, DateTimeOffset SignsFrom)
{
    public static PublishedKey From(SigningKeyPublished @event) =>
        new(@event.KeyId, @event.PublishedAt, @event.SignsFrom);
}

/// <summary>A new key is in the published key set. The private half is not on record.</summary>
/// <param name="KeyId">Its <c>kid</c>: the RFC 7638 thumbprint of the public half.</param>
/// <param name="PublishedAt">When.</param>
/// <param name="SignsFrom">When it begins to sign in place of the one before.</param>
[EventType("identity.signing-key-published")]
internal sealed record SigningKeyPublished(string KeyId, DateTimeOffset PublishedAt, DateTimeOffset SignsFrom) : IEvent;

/// <summary>A key verifies nothing any more, and its private half was deleted.</summary>
/// <param name="KeyId">Its <c>kid</c>.</param>
/// <param name="RetiredAt">When.</param>
[EventType("identity.signing-key-retired")]
internal sealed record SigningKeyRetired(string KeyId, DateTimeOffset RetiredAt) : IEvent;
