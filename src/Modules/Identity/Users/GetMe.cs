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

internal sealed class GetMe : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/me", HandleAsync)
            .RequireScope(Scopes.AccountRead)
            .OpenWhilePending()
            .WithTags("Authentication")
            .WithSummary("See who you are")
            .WithDescription(
                "The account behind the credential, what the credential may do, and the profile in this organization."
            )
            .WithResponseExample(StatusCodes.Status200OK, MeResponse.Example)
            .ProducesError(404, "identity.user-not-found", "There is no such account.");

    private static async Task<Results<Ok<MeResponse>, ProblemHttpResult>> HandleAsync(
        Caller caller,
        HttpContext http,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        if (await store.LoadAsync<User>(caller.Access, caller.PrincipalId, cancellationToken) is { } user)
        {
            EntityTags.Set(http, user.Version);
            return TypedResults.Ok(MeResponse.From(caller, user.Value));
        }
        return
            await store.LoadAsync<ServiceAccount>(caller.Access, caller.PrincipalId, cancellationToken)
                is { Value: var account }
            ? TypedResults.Ok(MeResponse.From(caller, account))
            : Problems.NotFound("identity.user-not-found", "There is no such account.");
    }
}
