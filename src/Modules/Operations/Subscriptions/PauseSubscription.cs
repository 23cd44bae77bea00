using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.Subscriptions;

internal sealed class PauseSubscription : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/admin/subscriptions/{name}/pause", HandleAsync)
            .RequireScope(Scopes.OperationsWrite)
            .WithTags("Operations")
            .WithSummary("Pause a subscription")
            .WithDescription(
                "It rests on all instances within a second: handlers are cancelled, and what they had begun is rolled back. Events wait in the log. Pausing it again changes nothing."
            )
            .WithResponseExample(StatusCodes.Status200OK, SubscriptionResponse.Example)
            .ProducesError(SharedByAll.Refused.Status, SharedByAll.Refused.Code, SharedByAll.Refused.Message)
            .ProducesError(404, SubscriptionErrors.NotFound.Code, SubscriptionErrors.NotFound.Message);

    /// <returns>False when it had nothing to do.</returns>
    public static async Task<bool> DecideAsync(
        AppendContext context,
        SubscriptionState state,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        if (state.PausedAt is not null)
            return false;
        await store.DecideAsync<SubscriptionSwitch>(
            context,
            SubscriptionSwitch.IdOf(state.Name),
            _ => Decision.Append(new SubscriptionPaused(state.Name)).AlsoWriting(SubscriptionStates.Pause(state.Name)),
            cancellationToken
        );
        return true;
    }

    private static async Task<Results<Ok<SubscriptionResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The subscription's name.")] string name,
        Caller caller,
        HttpContext http,
        SubscriptionStates states,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        if (!caller.RunsInstallation)
            return Problems.Create(SharedByAll.Refused);
        if (await states.FindAsync(caller.TenantId, name, cancellationToken) is not { } state)
            return Problems.Create(SubscriptionErrors.NotFound);
        await DecideAsync(caller.For(http), state, store, cancellationToken);
        var after = await states.FindAsync(caller.TenantId, name, cancellationToken);
        return TypedResults.Ok(SubscriptionResponse.From(after ?? state, caller.TenantId));
    }
}
