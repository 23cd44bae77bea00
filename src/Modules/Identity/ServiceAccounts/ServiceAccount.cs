using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.ServiceAccounts;

/// <summary>
/// A machine of an organization: it acts through API keys of its own, which outlive whoever made them, and may what its role may.
/// </summary>
/// <param name="Name">What it is for. It says nothing about a person.</param>
/// <param name="Role">What it may do.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="SuspendedAt">Since when none of its keys works, or null.</param>
[StreamType("service-account", Owner = DocumentOwner.Itself)]
internal sealed record ServiceAccount(string Name, Role Role, DateTimeOffset CreatedAt, DateTimeOffset? SuspendedAt)
    : IDocument<ServiceAccount>
{
    public static ServiceAccount Evolve(ServiceAccount? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, ServiceAccountCreated e) => new ServiceAccount(e.Name, e.Role, e.CreatedAt, SuspendedAt: null),
            ({ } account, ServiceAccountRenamed e) => account with { Name = e.Name },
            ({ } account, ServiceAccountRoleChanged e) => account with { Role = e.Role },
            ({ SuspendedAt: null } account, ServiceAccountSuspended e) => account with { SuspendedAt = e.SuspendedAt },
            ({ SuspendedAt: not null } account, ServiceAccountReactivated) => account with { SuspendedAt = null },
            _ => throw new UnexpectedEventException(typeof(ServiceAccount), @event),
        };

    internal static readonly Decision NotFound = Decision.Refuse(
        RefusalKind.NotFound,
        "identity.service-account-not-found",
        "There is no such service account."
    );
}

/// <summary>A service account was made. The stream is the account.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Role">What it may do.</param>
/// <param name="CreatedAt">When.</param>
[EventType("identity.service-account-created")]
internal sealed record ServiceAccountCreated(string Name, Role Role, DateTimeOffset CreatedAt) : IEvent;

/// <summary>A service account is called something else.</summary>
/// <param name="Name">What it is for.</param>
[EventType("identity.service-account-renamed")]
internal sealed record ServiceAccountRenamed(string Name) : IEvent;

/// <summary>A service account may do something else; its keys follow within a second.</summary>
/// <param name="Role">What it may do.</param>
[EventType("identity.service-account-role-changed")]
internal sealed record ServiceAccountRoleChanged(Role Role) : IStandingChange;

/// <summary>None of the account's keys works any more, until it is reactivated.</summary>
/// <param name="SuspendedAt">When.</param>
[EventType("identity.service-account-suspended")]
internal sealed record ServiceAccountSuspended(DateTimeOffset SuspendedAt) : IStandingChange;

/// <summary>The account's keys work again.</summary>
/// <param name="ReactivatedAt">When.</param>
[EventType("identity.service-account-reactivated")]
internal sealed record ServiceAccountReactivated(DateTimeOffset ReactivatedAt) : IStandingChange;
