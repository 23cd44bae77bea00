using System.Security.Cryptography;
using System.Text;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Operations.Subscriptions;

/// <summary>What people of an organization did to a subscription. Whether it rests now is in its own row.</summary>
[StreamType("subscription", Owner = DocumentOwner.Organization, Snapshot = SnapshotKind.Folded)]
internal sealed record SubscriptionSwitch(string Name, bool IsPaused) : IDocument<SubscriptionSwitch>
{
    public static SubscriptionSwitch Evolve(SubscriptionSwitch? current, IEvent @event) =>
        @event switch
        {
            SubscriptionPaused e => new SubscriptionSwitch(e.Name, IsPaused: true),
            SubscriptionResumed e => new SubscriptionSwitch(e.Name, IsPaused: false),
            _ => throw new UnexpectedEventException(typeof(SubscriptionSwitch), @event),
        };

    /// <summary>The stream of a name: a UUID of version 8 (RFC 9562, section 5.8) made from its SHA-256.</summary>
    public static Guid IdOf(string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}

[EventType("operations.subscription-paused")]
internal sealed record SubscriptionPaused(string Name) : IEvent;

[EventType("operations.subscription-resumed")]
internal sealed record SubscriptionResumed(string Name) : IEvent;
