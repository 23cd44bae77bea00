using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.Organizations;

/// <summary>An organization.</summary>
/// <param name="Id">The organization, and the stream of its events.</param>
/// <param name="Name">What it is called.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="SuspendedAt">Since when nobody can act in it; null when its members can.</param>
/// <param name="RunsInstallation">True for the first organization, whose administrators create and suspend the others.</param>
public sealed record OrganizationResponse(
    Guid Id,
    string Name,
    DateTimeOffset CreatedAt,
    DateTimeOffset? SuspendedAt,
    bool RunsInstallation
)
{
    internal static readonly OrganizationResponse Example = new(
        Guid.Parse("0198c7ee-90b4-7f21-b6d8-5c0e3a9f1d47"),
        "Analytical Engines",
        new DateTimeOffset(2026, 3, 2, 8, 0, 0, TimeSpan.Zero),
        SuspendedAt: null,
        RunsInstallation: false
    );

    internal static OrganizationResponse From(Guid id, Organization organization, FirstOrganization first) =>
        new(id, organization.Name, organization.CreatedAt, organization.SuspendedAt, first.Is(id));

    /// <summary>The answer of a route that shows an organization.</summary>
    internal static Ok<OrganizationResponse> Show(
        Guid id,
        Versioned<Organization> organization,
        FirstOrganization first,
        HttpContext http
    )
    {
        EntityTags.Set(http, organization.Version);
        return TypedResults.Ok(From(id, organization.Value, first));
    }
}

/// <summary>The organizations of an installation are the business of those who run it.</summary>
internal static class Installation
{
    public static readonly HttpError Refused = new(
        403,
        "identity.not-installation-administrator",
        "Only members of the organization that runs the installation may do this."
    );
}
