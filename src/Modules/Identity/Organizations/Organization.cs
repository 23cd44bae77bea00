using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Organizations;

/// <summary>A tenant: everything belongs to exactly one. Its id is the tenant id of every row.</summary>
[StreamType("organization")]
internal sealed record Organization(string Name, DateTimeOffset CreatedAt) : IDocument<Organization>
{
    public static Organization Evolve(Organization? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, OrganizationCreated e) => new Organization(e.Name, e.CreatedAt),
            _ => throw new UnexpectedEventException(typeof(Organization), @event),
        };
}

[EventType("identity.organization-created")]
internal sealed record OrganizationCreated(string Name, DateTimeOffset CreatedAt) : IEvent;
