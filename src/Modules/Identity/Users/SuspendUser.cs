using System.ComponentModel;
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

internal sealed class SuspendUser : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/users/{id:guid}/suspension", HandleAsync)
            .RequireScope(Scopes.UsersWrite)
            .WithTags("Users")
            .WithSummary("Suspend a person")
            .WithDescription(
                "None of their credentials works in your organization any more within a second, on every instance, until they are reactivated. In other organizations nothing changes."
            )
            .WithResponseExample(StatusCodes.Status200OK, UserResponse.Example)
            .ProducesError(404, "identity.user-not-found", "There is no such person in your organization.")
            .ProducesError(409, UserChanger.LastAdministrator.Code, UserChanger.LastAdministrator.Message)
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.");

    private static Task<Results<Ok<UserResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The person.")] Guid id,
        Caller caller,
        HttpContext http,
        UserChanger changer,
        TimeProvider time,
        CancellationToken cancellationToken
    ) =>
        changer.ChangeAsync(
            caller,
            http,
            id,
            user => Decide(user!, caller.TenantId, time.GetUtcNow()),
            cancellationToken
        );

    internal static Decision Decide(User user, Guid tenantId, DateTimeOffset now) =>
        user.SuspendedAt is not null
            ? Decision.Nothing
            : UserChanger.KeepingAnAdministrator(user, tenantId, new UserSuspended(now));
}
