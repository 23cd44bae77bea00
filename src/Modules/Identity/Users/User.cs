using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Users;

/// <summary>A person in an organization. The password's hash is not here: it is a secret, and events are read by auditors.</summary>
[StreamType("user", Owner = DocumentOwner.Itself)]
internal sealed record User(
    [property: Personal(OfStream = true)] string Email,
    Role Role,
    bool MustChangePassword,
    DateTimeOffset CreatedAt
) : IDocument<User>
{
    public static User Evolve(User? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, UserCreated e) => new User(e.Email, e.Role, MustChangePassword: true, e.CreatedAt),
            ({ } user, PasswordChanged) => user with { MustChangePassword = false },
            _ => throw new UnexpectedEventException(typeof(User), @event),
        };
}

/// <summary>A person was added to the organization. The stream is the person.</summary>
/// <param name="Email">The address to log in with.</param>
/// <param name="Role">What the person may do.</param>
/// <param name="CreatedAt">When.</param>
[EventType("identity.user-created")]
internal sealed record UserCreated(
    [property: Personal(OfStream = true)] string Email,
    Role Role,
    DateTimeOffset CreatedAt
) : IEvent;

/// <summary>The person has replaced their password; neither the old nor the new one is on record.</summary>
[EventType("identity.password-changed")]
internal sealed record PasswordChanged : IEvent;
