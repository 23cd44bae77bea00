using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Authentication;

/// <summary>Something that was asked for and denied.</summary>
/// <param name="Count">How many requests; more than one where so many came that they were counted.</param>
[StreamType("access-denial", Owner = DocumentOwner.Organization, Snapshot = SnapshotKind.Folded)]
internal sealed record AccessDenial(long Count) : IDocument<AccessDenial>
{
    public static AccessDenial Evolve(AccessDenial? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, AccessDenied) => new AccessDenial(1),
            (null, AccessDenialsCounted e) => new AccessDenial(e.Count),
            _ => throw new UnexpectedEventException(typeof(AccessDenial), @event),
        };
}

/// <summary>A request was denied: its credential was missing, not valid, or not enough.</summary>
/// <param name="Method">The request's method.</param>
/// <param name="Route">The route's pattern; what stood in its place may be a secret, and is not kept.</param>
/// <param name="Scope">The scope that the route demands, or null.</param>
/// <param name="Status">401 or 403.</param>
/// <param name="Address">The client's IP address.</param>
/// <param name="UserAgent">What the client calls itself.</param>
[EventType("identity.access-denied")]
internal sealed record AccessDenied(
    string Method,
    string Route,
    string? Scope,
    int Status,
    [property: Personal] string Address,
    [property: Personal] string? UserAgent
) : IEvent;

/// <summary>So many requests of one caller, or from one address, were denied in a short time that the rest of them were only counted.</summary>
/// <param name="Count">How many more than those that have an event of their own.</param>
/// <param name="Since">When the counting began.</param>
/// <param name="Until">When it ended.</param>
/// <param name="Address">The client's IP address; null for callers that are known, and for all the addresses that were too many to tell apart.</param>
[EventType("identity.access-denials-counted")]
internal sealed record AccessDenialsCounted(
    long Count,
    DateTimeOffset Since,
    DateTimeOffset Until,
    [property: Personal] string? Address
) : IEvent;
