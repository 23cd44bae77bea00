using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Operations.Subscriptions;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.Projections;

/// <summary>What is being built.</summary>
/// <param name="Name">The projection. Its builds are subscriptions of this name with a number at the end.</param>
public sealed record ProjectionResponse(string Name);

internal sealed class RebuildProjection : IEndpoint
{
    private static readonly HttpError NotFound = new(
        StatusCodes.Status404NotFound,
        "operations.projection-not-found",
        "There is no projection of this name."
    );

    private static readonly HttpError AlreadyBuilding = new(
        StatusCodes.Status409Conflict,
        "operations.projection-building",
        "It is being built already; GET /api/admin/subscriptions shows how far it has come."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/admin/subscriptions/{name}/rebuild", HandleAsync)
            .RequireScope(Scopes.OperationsWrite)
            .WithTags("Operations")
            .WithSummary("Rebuild a projection")
            .WithDescription(
                """
                Makes the projection's table anew from all events, beside the one that is read now, and shows it when it has come as far. Takes the
                name of the projection, or of the subscription that keeps it.
                """
            )
            .WithResponseExample(StatusCodes.Status202Accepted, new ProjectionResponse("usage.daily-report"))
            .ProducesError(SharedByAll.Refused.Status, SharedByAll.Refused.Code, SharedByAll.Refused.Message)
            .ProducesError(404, NotFound.Code, NotFound.Message)
            .ProducesError(409, AlreadyBuilding.Code, AlreadyBuilding.Message);

    /// <returns>False when it is being built already.</returns>
    public static async Task<bool> TryAsync(
        AppendContext context,
        string name,
        Platform.Messaging.Projections projections,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        if (await projections.IsBuildingAsync(name, cancellationToken))
            return false;
        await store.DecideAsync<ProjectionCare>(
            context,
            SubscriptionSwitch.IdOf("projection:" + name),
            _ =>
                Decision
                    .Append(new ProjectionRebuildRequested(name))
                    .AlsoWriting(Platform.Messaging.Projections.Rebuild(name)),
            cancellationToken
        );
        return true;
    }

    private static async Task<Results<Accepted<ProjectionResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The projection.")] string name,
        Caller caller,
        HttpContext http,
        Platform.Messaging.Projections projections,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        if (!caller.RunsInstallation)
            return Problems.Create(SharedByAll.Refused);
        if (projections.Find(name) is not { } projection)
            return Problems.Create(NotFound);
        if (!await TryAsync(caller.For(http), projection, projections, store, cancellationToken))
            return Problems.Create(AlreadyBuilding);
        return TypedResults.Accepted((string?)null, new ProjectionResponse(projection));
    }
}
