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

namespace Verbatim.Modules.Gateway.Models.Deployments;

internal sealed class GetDeployment(DocumentStore store) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/deployments/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ProvidersRead)
            .WithTags("Deployments")
            .WithSummary("Read one deployment")
            .WithDescription("Everything about it, prices that no longer hold included.")
            .WithResponseExample(StatusCodes.Status200OK, DeploymentResponse.Example)
            .ProducesError(404, DeploymentRules.NotFound.Code, DeploymentRules.NotFound.Message);

    private async Task<Results<Ok<DeploymentResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The deployment.")] Guid id,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var deployment = await store.LoadAsync<RegisteredDeployment>(caller.Access, id, cancellationToken);
        if (deployment is null or { Value.DeletedAt: not null })
            return Problems.Create(DeploymentRules.NotFound);
        EntityTags.Set(http, deployment.Version);
        return TypedResults.Ok(DeploymentResponse.From(id, deployment.Value));
    }
}
