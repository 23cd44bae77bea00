using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.ServiceAccounts;

internal sealed class SuspendServiceAccount : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/service-accounts/{id:guid}/suspension", HandleAsync)
            .RequireScope(Scopes.ServiceAccountsWrite)
            .WithTags("Service accounts")
            .WithSummary("Suspend a service account")
            .WithDescription(
                "None of its keys works any more within a second, on every instance, until it is reactivated. Suspending it again changes nothing."
            )
            .WithResponseExample(StatusCodes.Status200OK, ServiceAccountResponse.Example)
            .ProducesError(404, "identity.service-account-not-found", "There is no such service account.")
            .ProducesError(412, "version-mismatch", "It was changed since the version that If-Match names.");

    private static async Task<Results<Ok<ServiceAccountResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The service account.")] Guid id,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        Standings standings,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<ServiceAccount>(
            caller.For(http),
            id,
            account => Decide(account, time.GetUtcNow()),
            cancellationToken
        );
        standings.Forget(id);
        return ServiceAccountResponse.Answer(outcome, id, http);
    }

    internal static Decision Decide(ServiceAccount? account, DateTimeOffset now) =>
        account switch
        {
            null => ServiceAccount.NotFound,
            { SuspendedAt: not null } => Decision.Nothing,
            _ => Decision.Append(new ServiceAccountSuspended(now)),
        };
}
