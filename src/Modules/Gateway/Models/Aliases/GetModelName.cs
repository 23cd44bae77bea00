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

namespace Verbatim.Modules.Gateway.Models.Aliases;

internal sealed class GetModelName(DocumentStore store) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/models/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ModelsRead)
            .WithTags("Models")
            .WithSummary("Read one model name")
            .WithDescription("One that you may not use is not found, unless you may read providers.")
            .WithResponseExample(StatusCodes.Status200OK, ModelResponse.Example)
            .ProducesError(404, ModelRules.NotFound.Code, ModelRules.NotFound.Message);

    private async Task<Results<Ok<ModelResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The model.")] Guid id,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var model = await store.LoadAsync<ModelAlias>(caller.Access, id, cancellationToken);
        if (model is null or { Value.DeletedAt: not null } || !IsShown(model.Value, caller))
            return Problems.Create(ModelRules.NotFound);
        EntityTags.Set(http, model.Version);
        return TypedResults.Ok(ModelResponse.From(id, model.Value));
    }

    private static bool IsShown(ModelAlias model, Caller caller) =>
        caller.Scopes.Contains(Scopes.ProvidersRead)
        || model.Terms.Visibility.Reaches(caller.TenantId, caller.RunsInstallation, caller.TenantId, caller.ProjectId);
}
