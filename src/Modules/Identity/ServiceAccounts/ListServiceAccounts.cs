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

internal sealed class ListServiceAccounts : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/service-accounts", HandleAsync)
            .RequireScope(Scopes.ServiceAccountsRead)
            .WithTags("Service accounts")
            .WithSummary("List service accounts")
            .WithDescription("Newest first, suspended ones included.")
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<ServiceAccountResponse>([ServiceAccountResponse.Example], NextCursor: null)
            );

    private static async Task<Results<Ok<Page<ServiceAccountResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageRequest page,
        Caller caller,
        DocumentStore store,
        CancellationToken cancellationToken
    ) =>
        await DocumentPages.ListAsync<ServiceAccount, ServiceAccountResponse>(
            store,
            caller.Access,
            page,
            account => ServiceAccountResponse.From(account.Id, account.Value),
            cancellationToken
        );
}
