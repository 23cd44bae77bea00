using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Platform.Http;

/// <summary>For the load balancer: requests can be served, which takes the database.</summary>
internal sealed class GetReadiness : IEndpoint
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly HttpError Unavailable = new(503, "database-unavailable", "The database does not answer.");

    public string Prefix => "/health";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/ready", HandleAsync)
            .AllowAnyone()
            .WithTags("Health")
            .WithSummary("Can requests be served?")
            .WithDescription(
                "Reads the head of the event log: without the database nothing can be recorded, so nothing is answered."
            )
            .WithResponseExample(StatusCodes.Status200OK, new HealthResponse("ready"))
            .ProducesError(503, Unavailable.Code, Unavailable.Message);

    private static async Task<Results<Ok<HealthResponse>, ProblemHttpResult>> HandleAsync(
        EventStore events,
        CancellationToken cancellationToken
    )
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await events.ReadHeadAsync(patience.Token);
            return TypedResults.Ok(new HealthResponse("ready"));
        }
        catch (Exception e)
            when (e is NpgsqlException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return Problems.Create(Unavailable);
        }
    }
}
