using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Users;

/// <summary>A person in an organization. The password's hash is not here: it is a secret, and events are read by auditors.</summary>
[StreamType("user")]
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

[EventType("identity.user-created")]
internal sealed record UserCreated(
    [property: Personal(OfStream = true)] string Email,
    Role Role,
    DateTimeOffset CreatedAt
) : IEvent;

[EventType("identity.password-changed")]
internal sealed record PasswordChanged : IEvent;
