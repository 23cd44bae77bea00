using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.Subscriptions;

internal sealed class GetSubscription : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/admin/subscriptions/{name}", HandleAsync)
            .RequireScope(Scopes.OperationsRead)
            .WithTags("Operations")
            .WithSummary("Get a subscription")
            .WithDescription("How far it has come, who runs it, and what it fails at.")
            .WithResponseExample(StatusCodes.Status200OK, SubscriptionResponse.Example)
            .ProducesError(404, SubscriptionErrors.NotFound.Code, SubscriptionErrors.NotFound.Message);

    private static async Task<Results<Ok<SubscriptionResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The subscription's name.")] string name,
        Caller caller,
        SubscriptionStates states,
        CancellationToken cancellationToken
    ) =>
        await states.FindAsync(caller.TenantId, name, cancellationToken) is { } state
            ? TypedResults.Ok(SubscriptionResponse.From(state, caller.TenantId))
            : Problems.Create(SubscriptionErrors.NotFound);
}
