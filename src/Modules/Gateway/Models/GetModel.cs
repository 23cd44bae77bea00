using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models;

internal sealed class GetModel : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            // A name may have slashes in it: meta-llama/llama-4.
            .MapGet("/models/{**model}", HandleAsync)
            .RequireScope(Scopes.ModelsRead)
            .WithMetadata(OpenAiErrors.Dialect)
            .WithTags("OpenAI")
            .WithSummary("Read one model")
            .WithDescription("Tells whether a model can be asked, names that a pattern serves included.")
            .Produces<Model>()
            .WithResponseExample(StatusCodes.Status200OK, Model.Example)
            .ProducesError(404, "model_not_found", OpenAiErrors.Dialect.ModelNotFound("gpt-0").Message);

    private static Task HandleAsync(
        [Description("The model's name; it may have slashes in it.")] string model,
        HttpContext http,
        Caller caller,
        Catalogue catalogue
    ) =>
        catalogue.Find(caller, model) is { } route
            ? TypedResults.Ok(Model.From(route) with { Id = model }).ExecuteAsync(http)
            : OpenAiErrors.Dialect.WriteAsync(http, OpenAiErrors.Dialect.ModelNotFound(model));
}
