using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Users;

/// <summary>A person of an organization.</summary>
/// <param name="Id">The person, and the stream of their events.</param>
/// <param name="Email">The address to log in with.</param>
/// <param name="Role">What the person may do.</param>
/// <param name="MustChangePassword">True until the one-time password was replaced.</param>
/// <param name="CreatedAt">When the person was added.</param>
public sealed record UserResponse(Guid Id, string Email, Role Role, bool MustChangePassword, DateTimeOffset CreatedAt)
{
    internal static readonly UserResponse Example = new(
        Guid.Parse("0198c7f0-51aa-7c3d-8e02-9b1f4d6a7c35"),
        "ada@example.org",
        Role.Auditor,
        MustChangePassword: true,
        new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero)
    );

    internal static UserResponse From(Guid id, User user) =>
        new(id, user.Email, user.Role, user.MustChangePassword, user.CreatedAt);
}

internal sealed class ListUsers : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/users", HandleAsync)
            .RequireScope(Scopes.UsersRead)
            .WithTags("Users")
            .WithSummary("List the people of your organization")
            .WithDescription("Newest first.")
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<UserResponse>([UserResponse.Example], NextCursor: null)
            );

    private static async Task<Results<Ok<Page<UserResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageRequest page,
        Caller caller,
        DocumentStore store,
        CancellationToken cancellationToken
    ) =>
        await DocumentPages.ListAsync<User, UserResponse>(
            store,
            caller.Access,
            page,
            document => UserResponse.From(document.Id, document.Value),
            cancellationToken
        );
}
