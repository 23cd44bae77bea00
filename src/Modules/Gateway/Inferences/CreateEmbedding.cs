using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

internal sealed class CreateEmbedding(InferenceCalls calls) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapInference("/embeddings", CallerWire.Embeddings, HandleAsync)
            .WithSummary("Turn text into vectors")
            .WithDescription(
                """
                OpenAI's embeddings. Body and answer pass as they are.
                """
            )
            .Accepts<JsonObject>("application/json")
            .Produces<JsonObject>(StatusCodes.Status200OK, "application/json")
            .WithRequestExample(
                JsonNode.Parse(
                    """
                    {"model":"text-embedding-3-small","input":"Hello!"}
                    """
                )!
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                JsonNode.Parse(
                    """
                    {"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.0023,-0.0093]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":2,"total_tokens":2}}
                    """
                )!
            )
            .ProducesError(400, "invalid_request", "We could not parse the JSON body of your request: it is empty.");

    private Task HandleAsync(HttpContext http) => calls.AnswerAsync(http, CallerWire.Embeddings);
}
