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

internal sealed class GetUser : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/users/{id:guid}", HandleAsync)
            .RequireScope(Scopes.UsersRead)
            .WithTags("Users")
            .WithSummary("Read one person")
            .WithDescription("What a person is in your organization.")
            .WithResponseExample(StatusCodes.Status200OK, UserResponse.Example)
            .ProducesError(404, "identity.user-not-found", "There is no such person in your organization.");

    private static async Task<Results<Ok<UserResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The person.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        CancellationToken cancellationToken
    ) =>
        await store.LoadAsync<User>(caller.Access, id, cancellationToken) is { Value.RemovedAt: null } user
            ? UserResponse.Show(id, user, http)
            : Problems.NotFound("identity.user-not-found", "There is no such person in your organization.");
}
