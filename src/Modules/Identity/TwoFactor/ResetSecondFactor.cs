using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.TwoFactor;

internal sealed class ResetSecondFactor : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/users/{id:guid}/second-factor/reset", HandleAsync)
            .RequireScope(Scopes.UsersWrite)
            .WithTags("Users")
            .WithSummary("Take a lost second factor away")
            .WithDescription(
                "The person logs in with their password alone and may set up another. Only for people who belong to your organization and to no other. Does nothing where there is none."
            )
            .ProducesError(Custody.NotFound.Status, Custody.NotFound.Code, Custody.NotFound.Message)
            .ProducesError(Custody.Elsewhere.Status, Custody.Elsewhere.Code, Custody.Elsewhere.Message);

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The person.")] Guid id,
        Caller caller,
        HttpContext http,
        Custody custody,
        SecondFactors factors,
        FactorChanges changes,
        CancellationToken cancellationToken
    )
    {
        if (await custody.CheckAsync(caller, id, cancellationToken) is { } error)
            return Problems.Create(error);
        if (await factors.FindEnabledAsync(id, cancellationToken) is not { } factor)
            return TypedResults.NoContent();
        return await changes.ResetAsync(http, caller, factor, cancellationToken) is { } refusal
            ? refusal
            : TypedResults.NoContent();
    }
}
