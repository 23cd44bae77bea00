using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Users;

internal sealed class RemoveUser : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/users/{id:guid}", HandleAsync)
            .RequireScope(Scopes.UsersWrite)
            .WithTags("Users")
            .WithSummary("Remove a person from your organization")
            .WithDescription(
                "Ends the membership: within a second none of their credentials works here, and their API keys and logins of this organization end for good. What they did stays on record, their account and their other organizations stay as they are, and they can be invited again. To erase a person use `POST /api/audit/erasures`."
            )
            .ProducesError(404, "identity.user-not-found", "There is no such person in your organization.")
            .ProducesError(409, UserChanger.LastAdministrator.Code, UserChanger.LastAdministrator.Message)
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.");

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The person.")] Guid id,
        Caller caller,
        HttpContext http,
        UserChanger changer,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var answer = await changer.ChangeAsync(
            caller,
            http,
            id,
            user => UserChanger.KeepingAnAdministrator(user!, caller.TenantId, new UserRemoved(time.GetUtcNow())),
            cancellationToken
        );
        return answer.Result is ProblemHttpResult problem ? problem : TypedResults.NoContent();
    }
}
