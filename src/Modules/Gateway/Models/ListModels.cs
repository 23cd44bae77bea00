using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models;

internal sealed class ListModels : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/models", Handle)
            .RequireScope(Scopes.ModelsRead)
            .WithMetadata(OpenAiErrors.Dialect)
            .WithTags("OpenAI")
            .WithSummary("List models")
            .WithDescription(
                "The models that you can ask, as OpenAI's API lists them. Names that a pattern serves are not listed."
            )
            .WithResponseExample(StatusCodes.Status200OK, new ModelList("list", [Model.Example]));

    private static Ok<ModelList> Handle(Catalogue catalogue) =>
        TypedResults.Ok(
            new ModelList("list", [.. catalogue.Exact.Select(Model.From).OrderBy(m => m.Id, StringComparer.Ordinal)])
        );
}
