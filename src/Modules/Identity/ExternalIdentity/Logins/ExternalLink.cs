using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.ExternalIdentity.Logins;

/// <summary>A person here is known to be one of a provider's people.</summary>
/// <param name="UserId">The person.</param>
/// <param name="ProviderId">The provider.</param>
[StreamType("external-link", Owner = nameof(UserId), Snapshot = SnapshotKind.Folded)]
internal sealed record ExternalLink(Guid UserId, Guid ProviderId) : IDocument<ExternalLink>
{
    public static ExternalLink Evolve(ExternalLink? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, ExternalIdentityLinked e) => new ExternalLink(e.UserId, e.ProviderId),
            _ => throw new UnexpectedEventException(typeof(ExternalLink), @event),
        };
}

/// <summary>Somebody has logged in with a provider for the first time, and is this person from now on. How the provider calls them is kept as a hash only.</summary>
/// <param name="UserId">The person.</param>
/// <param name="ProviderId">The provider.</param>
/// <param name="IsNew">The person became a member with it.</param>
/// <param name="LinkedAt">When.</param>
[EventType("identity.external-identity-linked")]
internal sealed record ExternalIdentityLinked(Guid UserId, Guid ProviderId, bool IsNew, DateTimeOffset LinkedAt)
    : IEvent;
