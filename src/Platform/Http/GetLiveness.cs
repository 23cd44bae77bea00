using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Platform.Http;

/// <summary>For the one who restarts containers: the process answers.</summary>
internal sealed class GetLiveness : IEndpoint
{
    public string Prefix => "/health";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/live", () => TypedResults.Ok(new HealthResponse("live")))
            .AllowAnyone()
            .WithTags("Health")
            .WithSummary("Is the process alive?")
            .WithDescription("Answers as long as the process does; asks nobody else.")
            .WithResponseExample(StatusCodes.Status200OK, new HealthResponse("live"));
}
