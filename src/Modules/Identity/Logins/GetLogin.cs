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

namespace Verbatim.Modules.Identity.Logins;

internal sealed class GetLogin : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/logins/{id:guid}", HandleAsync)
            .RequireScope(Scopes.AccountRead)
            .WithTags("Logins")
            .WithSummary("Read one login")
            .WithDescription("Where it was started from, how, and whether it goes on.")
            .WithResponseExample(StatusCodes.Status200OK, LoginResponse.Example)
            .ProducesError(404, LoginEnder.NotFound.Code, LoginEnder.NotFound.Message);

    private static async Task<Results<Ok<LoginResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The login.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        if (await store.LoadAsync<Login>(caller.Access, id, cancellationToken) is not { } login)
            return Problems.From(LoginEnder.NotFound);
        EntityTags.Set(http, login.Version);
        return TypedResults.Ok(LoginResponse.From(id, login.Value, caller.LoginId, time.GetUtcNow()));
    }
}
