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

namespace Verbatim.Modules.Identity.ServiceAccounts;

internal sealed class GetServiceAccount : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/service-accounts/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ServiceAccountsRead)
            .WithTags("Service accounts")
            .WithSummary("Read one service account")
            .WithDescription("What it is called, may do, and whether it is suspended.")
            .WithResponseExample(StatusCodes.Status200OK, ServiceAccountResponse.Example)
            .ProducesError(404, "identity.service-account-not-found", "There is no such service account.");

    private static async Task<Results<Ok<ServiceAccountResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The service account.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        var account = await store.LoadAsync<ServiceAccount>(caller.Access, id, cancellationToken);
        if (account is null)
            return Problems.NotFound("identity.service-account-not-found", "There is no such service account.");
        EntityTags.Set(http, account.Version);
        return TypedResults.Ok(ServiceAccountResponse.From(id, account.Value));
    }
}
