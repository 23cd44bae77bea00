using System.ComponentModel;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Gateway.Models;

/// <summary>Who may use something.</summary>
public enum Audience
{
    /// <summary>The organization that it belongs to.</summary>
    OwnOrganization,

    /// <summary>Every organization of the installation.</summary>
    AllOrganizations,

    /// <summary>The organization that it belongs to, and those that are named.</summary>
    Organizations,

    /// <summary>Only credentials of the projects that are named.</summary>
    Projects,
}

/// <summary>Who may use a deployment or a model. Beyond its own organization only the one that runs the installation may share.</summary>
/// <param name="Audience">Who.</param>
/// <param name="Organizations">The organizations, where the audience is <c>organizations</c>.</param>
/// <param name="Projects">The projects, where the audience is <c>projects</c>.</param>
public sealed record Visibility(
    [property: Description("`ownOrganization`, `allOrganizations`, `organizations` or `projects`.")] Audience Audience,
    [property: Description("Their ids, where the audience is `organizations`.")]
        IReadOnlyList<Guid>? Organizations = null,
    [property: Description("Their ids, where the audience is `projects`.")] IReadOnlyList<Guid>? Projects = null
)
{
    internal const int MaxNamed = 1000;

    internal static Visibility Own { get; } = new(Audience.OwnOrganization);

    internal static Visibility Everybody { get; } = new(Audience.AllOrganizations);

    internal static readonly HttpError CannotShare = new(
        403,
        "gateway.cannot-share",
        "Only the organization that runs the installation shares with others; valid is 'ownOrganization' or 'projects'."
    );

    internal static readonly HttpError Invalid = new(
        422,
        "gateway.invalid-visibility",
        "'visibility' names 1 to 1000 'organizations' or 'projects' where its 'audience' is that word, and none otherwise."
    );

    /// <summary>Whether a credential of this organization and project may use it.</summary>
    /// <param name="owner">The organization that it belongs to.</param>
    /// <param name="mayShare">The owner is the organization that runs the installation: of any other, nothing leaves it.</param>
    /// <param name="tenantId">Whose credential it is.</param>
    /// <param name="projectId">The credential's project.</param>
    internal bool Reaches(Guid owner, bool mayShare, Guid tenantId, Guid? projectId) =>
        (owner == tenantId || mayShare)
        && Audience switch
        {
            Audience.OwnOrganization => owner == tenantId,
            Audience.AllOrganizations => true,
            Audience.Organizations => owner == tenantId || Organizations?.Contains(tenantId) == true,
            Audience.Projects => projectId is { } project && Projects?.Contains(project) == true,
            _ => false,
        };

    /// <summary>Why an organization cannot say this, or null.</summary>
    internal Decision? Refuse(bool runsInstallation)
    {
        if (!runsInstallation && Audience is Audience.AllOrganizations or Audience.Organizations)
            return Decision.Refuse(RefusalKind.Forbidden, CannotShare.Code, CannotShare.Message);
        return
            IsSound(Organizations, Audience == Audience.Organizations)
            && IsSound(Projects, Audience == Audience.Projects)
            ? null
            : Decision.Refuse(RefusalKind.Invalid, Invalid.Code, Invalid.Message);
    }

    private static bool IsSound(IReadOnlyList<Guid>? named, bool wanted) =>
        wanted ? named is { Count: >= 1 and <= MaxNamed } : named is null or { Count: 0 };
}
