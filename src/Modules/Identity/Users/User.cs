using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Users;

/// <summary>
/// A person as a member of one organization; under the same id they may be a member of others. The password's hash is not here: it is a
/// secret, and events are read by auditors.
/// </summary>
/// <param name="Email">The address to log in with.</param>
/// <param name="Role">What the person may do here.</param>
/// <param name="MustChangePassword">True until a one-time password was replaced.</param>
/// <param name="CreatedAt">When the person became a member.</param>
/// <param name="SuspendedAt">Since when the person cannot act here, or null.</param>
/// <param name="RemovedAt">Since when the person is no member any more, or null.</param>
/// <param name="DisplayName">What the person is called, or null.</param>
/// <param name="Locale">The language tag (BCP 47) of the person's choice, or null.</param>
/// <param name="TimeZone">The person's time zone, by its IANA name, or null.</param>
/// <param name="Preferences">What the person's programs keep: a JSON object, or null.</param>
[StreamType("user", Owner = DocumentOwner.Itself)]
internal sealed record User(
    [property: Personal(OfStream = true)] string Email,
    Role Role,
    bool MustChangePassword,
    DateTimeOffset CreatedAt,
    DateTimeOffset? SuspendedAt,
    DateTimeOffset? RemovedAt,
    [property: Personal(OfStream = true)] string? DisplayName,
    [property: Personal(OfStream = true)] string? Locale,
    [property: Personal(OfStream = true)] string? TimeZone,
    [property: Personal(OfStream = true)] RawJson? Preferences
) : IDocument<User>
{
    internal static readonly Decision NotFound = Decision.Refuse(
        RefusalKind.NotFound,
        "identity.user-not-found",
        "There is no such person in your organization."
    );

    public bool IsActiveAdministrator => this is { Role: Role.Admin, SuspendedAt: null, RemovedAt: null };

    public static User Evolve(User? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, UserCreated e) => Member(e.Email, e.Role, mustChangePassword: true, e.CreatedAt),
            (null or { RemovedAt: not null }, UserJoined e) => Member(
                e.Email,
                e.Role,
                mustChangePassword: false,
                e.JoinedAt
            ),
            ({ } user, PasswordChanged) => user with { MustChangePassword = false },
            ({ RemovedAt: null } user, UserRoleChanged e) => user with { Role = e.Role },
            ({ RemovedAt: null, SuspendedAt: null } user, UserSuspended e) => user with { SuspendedAt = e.SuspendedAt },
            ({ RemovedAt: null, SuspendedAt: not null } user, UserReactivated) => user with { SuspendedAt = null },
            ({ RemovedAt: null } user, UserRemoved e) => user with { RemovedAt = e.RemovedAt },
            ({ RemovedAt: null } user, ProfileChanged e) => user with
            {
                DisplayName = e.DisplayName,
                Locale = e.Locale,
                TimeZone = e.TimeZone,
                Preferences = e.Preferences,
            },
            _ => throw new UnexpectedEventException(typeof(User), @event),
        };

    private static User Member(string email, Role role, bool mustChangePassword, DateTimeOffset since) =>
        new(
            email,
            role,
            mustChangePassword,
            since,
            SuspendedAt: null,
            RemovedAt: null,
            DisplayName: null,
            Locale: null,
            TimeZone: null,
            Preferences: null
        );
}

/// <summary>A person was added to the organization with an account of their own. The stream is the person.</summary>
/// <param name="Email">The address to log in with.</param>
/// <param name="Role">What the person may do.</param>
/// <param name="CreatedAt">When.</param>
[EventType("identity.user-created")]
internal sealed record UserCreated(
    [property: Personal(OfStream = true)] string Email,
    Role Role,
    DateTimeOffset CreatedAt
) : IEvent;

/// <summary>A person joined the organization by an own deed: by an invitation, or by making the organization. Also of one who was removed before.</summary>
/// <param name="Email">The address to log in with.</param>
/// <param name="Role">What the person may do.</param>
/// <param name="JoinedAt">When.</param>
/// <param name="InvitationId">By which invitation; null for whoever made the organization.</param>
[EventType("identity.user-joined")]
internal sealed record UserJoined(
    [property: Personal(OfStream = true)] string Email,
    Role Role,
    DateTimeOffset JoinedAt,
    Guid? InvitationId
) : IStandingChange;

/// <summary>The person has replaced their password; neither the old nor the new one is on record.</summary>
[EventType("identity.password-changed")]
internal sealed record PasswordChanged : IStandingChange;

/// <summary>The person may do something else; their credentials follow within a second.</summary>
/// <param name="Role">What the person may do.</param>
[EventType("identity.user-role-changed")]
internal sealed record UserRoleChanged(Role Role) : IStandingChange;

/// <summary>The person cannot act in the organization any more, until they are reactivated.</summary>
/// <param name="SuspendedAt">When.</param>
[EventType("identity.user-suspended")]
internal sealed record UserSuspended(DateTimeOffset SuspendedAt) : IStandingChange;

/// <summary>The person can act in the organization again.</summary>
/// <param name="ReactivatedAt">When.</param>
[EventType("identity.user-reactivated")]
internal sealed record UserReactivated(DateTimeOffset ReactivatedAt) : IStandingChange;

/// <summary>The person is no member of the organization any more; their keys and logins there end. What they did stays on record.</summary>
/// <param name="RemovedAt">When.</param>
[EventType("identity.user-removed")]
internal sealed record UserRemoved(DateTimeOffset RemovedAt) : IStandingChange;

/// <summary>The person says something else about themself; the event has all of it as it is now.</summary>
/// <param name="DisplayName">What the person is called.</param>
/// <param name="Locale">The language tag of their choice.</param>
/// <param name="TimeZone">Their time zone.</param>
/// <param name="Preferences">What their programs keep.</param>
[EventType("identity.profile-changed")]
internal sealed record ProfileChanged(
    [property: Personal(OfStream = true)] string? DisplayName,
    [property: Personal(OfStream = true)] string? Locale,
    [property: Personal(OfStream = true)] string? TimeZone,
    [property: Personal(OfStream = true)] RawJson? Preferences
) : IEvent;
