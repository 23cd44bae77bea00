using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Organizations;

/// <summary>A tenant: everything belongs to exactly one. Its id is the tenant id of every row.</summary>
[StreamType("organization", Owner = DocumentOwner.Organization)]
internal sealed record Organization(string Name, DateTimeOffset CreatedAt) : IDocument<Organization>
{
    public static Organization Evolve(Organization? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, OrganizationCreated e) => new Organization(e.Name, e.CreatedAt),
            _ => throw new UnexpectedEventException(typeof(Organization), @event),
        };
}

/// <summary>An organization was made. The stream is the organization, and its id the tenant of all that belongs to it.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="CreatedAt">When.</param>
[EventType("identity.organization-created")]
internal sealed record OrganizationCreated(string Name, DateTimeOffset CreatedAt) : IEvent;
