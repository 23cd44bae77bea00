using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.Users;

/// <summary>A person of an organization.</summary>
/// <param name="Id">The person, and the stream of their events.</param>
/// <param name="Email">The address to log in with.</param>
/// <param name="Role">What the person may do.</param>
/// <param name="DisplayName">What the person is called.</param>
/// <param name="MustChangePassword">True until the one-time password was replaced.</param>
/// <param name="CreatedAt">When the person was added, or joined.</param>
/// <param name="SuspendedAt">Since when the person cannot act here; null when they can.</param>
public sealed record UserResponse(
    Guid Id,
    string Email,
    Role Role,
    string? DisplayName,
    bool MustChangePassword,
    DateTimeOffset CreatedAt,
    DateTimeOffset? SuspendedAt
)
{
    internal static readonly UserResponse Example = new(
        Guid.Parse("0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35"),
        "ada@example.org",
        Role.Auditor,
        "Ada",
        MustChangePassword: true,
        new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero),
        SuspendedAt: null
    );

    internal static UserResponse From(Guid id, User user) =>
        new(id, user.Email, user.Role, user.DisplayName, user.MustChangePassword, user.CreatedAt, user.SuspendedAt);

    internal static Ok<UserResponse> Show(Guid id, Versioned<User> user, HttpContext http)
    {
        EntityTags.Set(http, user.Version);
        return TypedResults.Ok(From(id, user.Value));
    }
}
