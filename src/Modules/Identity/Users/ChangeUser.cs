using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.ServiceAccounts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Users;

/// <summary>What a person is to be in the organization.</summary>
public sealed record ChangeUserRequest(
    [property: Required, EnumDataType(typeof(Role))]
    [property: Description("What the person may do: a role that may nothing that you may not.")]
        Role? Role
);

internal sealed class ChangeUser : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPatch("/users/{id:guid}", HandleAsync)
            .RequireScope(Scopes.UsersWrite)
            .WithTags("Users")
            .WithSummary("Change what a person is")
            .WithDescription(
                "Gives a person another role. Their logins, tokens and API keys follow within a second on every instance. An organization always keeps an administrator who can act."
            )
            .WithRequestExample(new ChangeUserRequest(Role.Viewer))
            .WithResponseExample(StatusCodes.Status200OK, UserResponse.Example)
            .ProducesError(
                403,
                "identity.role-beyond-yours",
                "You cannot give the role 'admin': it may do what your credential may not."
            )
            .ProducesError(404, "identity.user-not-found", "There is no such person in your organization.")
            .ProducesError(409, UserChanger.LastAdministrator.Code, UserChanger.LastAdministrator.Message)
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.");

    private static Task<Results<Ok<UserResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The person.")] Guid id,
        ChangeUserRequest request,
        Caller caller,
        HttpContext http,
        UserChanger changer,
        CancellationToken cancellationToken
    ) => changer.ChangeAsync(caller, http, id, user => Decide(user!, caller, request.Role!.Value), cancellationToken);

    internal static Decision Decide(User user, Caller caller, Role role) =>
        user.Role == role
            ? Decision.Nothing
            : RoleGrant.Refuse(caller, role)
                ?? UserChanger.KeepingAnAdministrator(user, caller.TenantId, new UserRoleChanged(role));
}
