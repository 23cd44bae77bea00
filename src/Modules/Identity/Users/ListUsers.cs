using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
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

/// <summary>Which people a list has; each part that is left out lets all through.</summary>
public sealed record ListUsersRequest
{
    /// <summary>Only those of this role.</summary>
    [QueryWord("admin", "user", "viewer", "auditor")]
    [Description("Only people of this role: `admin`, `user`, `viewer` or `auditor`.")]
    public string? Role { get; init; }

    /// <summary>Only those of this status.</summary>
    [QueryWord("active", "suspended")]
    [Description("Only people of this status: `active` or `suspended`.")]
    public string? Status { get; init; }

    /// <summary>Only the one with this address.</summary>
    [StringLength(254, MinimumLength = 1)]
    [Description(
        "Only the person with this address, in whatever case. A part of an address is not enough: addresses are sealed in the database."
    )]
    public string? Email { get; init; }
}

internal sealed class ListUsers : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/users", HandleAsync)
            .RequireScope(Scopes.UsersRead)
            .WithTags("Users")
            .WithSummary("List the people of your organization")
            .WithDescription("Newest first, suspended ones included; without those who were removed.")
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<UserResponse>([UserResponse.Example], NextCursor: null)
            );

    private static async Task<Results<Ok<Page<UserResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] ListUsersRequest request,
        [AsParameters] PageRequest page,
        Caller caller,
        DocumentStore store,
        AddressFilter addresses,
        CancellationToken cancellationToken
    )
    {
        var filter = new DocumentFilter().Where($"data ->> 'removedAt' is null");
        if (request.Role is { } role)
            filter.Where($"data ->> 'role' = {role}");
        if (request.Status is { } status)
            filter.Where($"(data ->> 'suspendedAt' is not null) = {status == "suspended"}");
        if (request.Email is { } email)
            await addresses.AddAsync(filter, caller.TenantId, email, cancellationToken);
        return await DocumentPages.ListAsync<User, UserResponse>(
            store,
            caller.Access,
            page,
            filter,
            users =>
                Task.FromResult<IReadOnlyList<UserResponse>>([.. users.Select(u => UserResponse.From(u.Id, u.Value))]),
            cancellationToken
        );
    }
}
