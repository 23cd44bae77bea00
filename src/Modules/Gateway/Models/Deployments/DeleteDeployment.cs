using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models.Deployments;

internal sealed class DeleteDeployment(CatalogueSettings settings, Aliases.ModelRules models, TimeProvider time)
    : IEndpoint
{
    private const string InUse = "gateway.deployment-in-use";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/deployments/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ProvidersWrite)
            .WithTags("Deployments")
            .WithSummary("Delete a deployment")
            .WithDescription("No call is sent to it any more. One that a model sends calls to cannot be deleted.")
            .ProducesError(404, DeploymentRules.NotFound.Code, DeploymentRules.NotFound.Message)
            .ProducesError(409, InUse, "Models send calls to it: 'fast'. Change or delete these first.")
            .ProducesError(
                409,
                "gateway.set-by-configuration",
                ProviderRules.SetByConfiguration("Gateway:Deployments:mini").Message
            );

    private async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The deployment.")] Guid id,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var names = await models.NamesWithAsync(caller.TenantId, id, cancellationToken);
        return await settings.DecideAsync<RegisteredDeployment, NoContent>(
            caller,
            http,
            id,
            deployment => Decide(deployment, names, time.GetUtcNow()),
            _ => TypedResults.NoContent(),
            cancellationToken
        );
    }

    internal static Decision Decide(
        RegisteredDeployment? deployment,
        IReadOnlyList<string> models,
        DateTimeOffset now
    ) =>
        deployment switch
        {
            null or { DeletedAt: not null } => ProviderRules.Refuse(DeploymentRules.NotFound),
            { SetBy: { } setting } => ProviderRules.Refuse(ProviderRules.SetByConfiguration(setting)),
            _ when models.Count > 0 => Decision.Refuse(
                RefusalKind.Conflict,
                InUse,
                $"Models send calls to it: {string.Join(", ", models.Select(n => $"'{n}'"))}. Change or delete these first."
            ),
            _ => Decision.Append(new DeploymentDeleted(now)),
        };
}
