using System.Runtime.InteropServices;

namespace Verbatim.Platform.Events;

/// <summary>
/// Which documents a read may answer with. Every read of <see cref="DocumentStore"/> demands one, so that an endpoint that forgets to check
/// who owns a document finds nothing instead of too much. Endpoints pass their caller's.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Access
{
    internal Access(Guid tenantId, Guid? ownerId)
    {
        TenantId = tenantId;
        OwnerId = ownerId;
    }

    /// <summary>The one organization whose documents are reached.</summary>
    public Guid TenantId { get; }

    /// <summary>Null: all of them. Otherwise those of this principal, and those that belong to the organization itself.</summary>
    public Guid? OwnerId { get; }

    /// <summary>All documents of an organization: for work of the system's own, and callers whose role reads everything.</summary>
    public static Access ToAll(Guid tenantId) => new(tenantId, ownerId: null);

    /// <summary>What belongs to one principal of an organization, and what is shared in it.</summary>
    public static Access ToOwn(Guid tenantId, Guid principalId) => new(tenantId, principalId);
}

/// <summary>Whose a document is, for <see cref="StreamTypeAttribute.Owner"/>, where it is not a property that tells.</summary>
public static class DocumentOwner
{
    /// <summary>The organization's: all its members may see it who pass the route's scope.</summary>
    public const string Organization = "(organization)";

    /// <summary>The document is the principal: it belongs to the one whose id it bears.</summary>
    public const string Itself = "(itself)";
}
