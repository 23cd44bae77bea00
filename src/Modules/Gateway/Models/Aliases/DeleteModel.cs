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

namespace Verbatim.Modules.Gateway.Models.Aliases;

internal sealed class DeleteModel(CatalogueSettings settings, TimeProvider time) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/models/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ProvidersWrite)
            .WithTags("Models")
            .WithSummary("Delete a model name")
            .WithDescription("Its deployments stay.")
            .ProducesError(404, ModelRules.NotFound.Code, ModelRules.NotFound.Message)
            .ProducesError(
                409,
                "gateway.set-by-configuration",
                ProviderRules.SetByConfiguration("Gateway:Models:fast").Message
            );

    private async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The model.")] Guid id,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        return await settings.DecideAsync<ModelAlias, NoContent>(
            caller,
            http,
            id,
            model => Decide(model, time.GetUtcNow()),
            _ => TypedResults.NoContent(),
            cancellationToken
        );
    }

    internal static Decision Decide(ModelAlias? model, DateTimeOffset now) =>
        model switch
        {
            null or { DeletedAt: not null } => ProviderRules.Refuse(ModelRules.NotFound),
            { SetBy: { } setting } => ProviderRules.Refuse(ProviderRules.SetByConfiguration(setting)),
            _ => Decision.Append(new ModelDeleted(now)),
        };
}
