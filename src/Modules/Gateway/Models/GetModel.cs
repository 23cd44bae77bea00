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

internal sealed class GetModel(Catalogue catalogue) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            // A name may have slashes in it: meta-llama/llama-4.
            .MapGet("/models/{**model}", HandleAsync)
            .RequireScope(Scopes.ModelsRead)
            .WithMetadata(ModelsDialect.Instance)
            .WithTags("OpenAI")
            .WithSummary("Read one model")
            .WithDescription(
                "Tells whether a model can be asked, names that a pattern serves included. In OpenAI's shape; in Anthropic's for clients that send `anthropic-version`."
            )
            .Produces<Model>()
            .WithResponseExample(StatusCodes.Status200OK, Model.Example)
            .ProducesError(404, "model_not_found", OpenAiErrors.Dialect.ModelNotFound("gpt-0").Message);

    private Task HandleAsync(
        [Description("The model's name; it may have slashes in it.")] string model,
        HttpContext http,
        Caller caller
    )
    {
        if (catalogue.Find(caller, model) is not { } route)
        {
            var dialect = ModelsDialect.Of(http.Request);
            return dialect.WriteAsync(http, dialect.ModelNotFound(model));
        }
        return ModelsDialect.IsAnthropic(http.Request)
            ? TypedResults.Ok(AnthropicModel.From(route, model)).ExecuteAsync(http)
            : TypedResults.Ok(Model.From(route, model)).ExecuteAsync(http);
    }
}
