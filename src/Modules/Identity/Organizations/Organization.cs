using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Organizations;

/// <summary>A tenant: everything belongs to exactly one. Its id is the tenant id of every row.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="SuspendedAt">Since when nobody can act in it, or null.</param>
[StreamType("organization", Owner = DocumentOwner.Organization)]
internal sealed record Organization(string Name, DateTimeOffset CreatedAt, DateTimeOffset? SuspendedAt)
    : IDocument<Organization>
{
    internal static readonly Decision NotFound = Decision.Refuse(
        RefusalKind.NotFound,
        "identity.organization-not-found",
        "There is no such organization."
    );

    public static Organization Evolve(Organization? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, OrganizationCreated e) => new Organization(e.Name, e.CreatedAt, SuspendedAt: null),
            ({ } organization, OrganizationRenamed e) => organization with { Name = e.Name },
            ({ SuspendedAt: null } organization, OrganizationSuspended e) => organization with
            {
                SuspendedAt = e.SuspendedAt,
            },
            ({ SuspendedAt: not null } organization, OrganizationReactivated) => organization with
            {
                SuspendedAt = null,
            },
            _ => throw new UnexpectedEventException(typeof(Organization), @event),
        };
}

/// <summary>An organization was made. The stream is the organization, and its id the tenant of all that belongs to it.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="CreatedAt">When.</param>
[EventType("identity.organization-created")]
internal sealed record OrganizationCreated(string Name, DateTimeOffset CreatedAt) : IEvent;

/// <summary>The organization is called something else.</summary>
/// <param name="Name">What it is called.</param>
[EventType("identity.organization-renamed")]
internal sealed record OrganizationRenamed(string Name) : IEvent;

/// <summary>Nobody can act in the organization any more, until it is reactivated.</summary>
/// <param name="SuspendedAt">When.</param>
[EventType("identity.organization-suspended")]
internal sealed record OrganizationSuspended(DateTimeOffset SuspendedAt) : IStandingChange;

/// <summary>Its members can act in the organization again.</summary>
/// <param name="ReactivatedAt">When.</param>
[EventType("identity.organization-reactivated")]
internal sealed record OrganizationReactivated(DateTimeOffset ReactivatedAt) : IStandingChange;
