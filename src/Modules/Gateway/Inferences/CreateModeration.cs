using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

internal sealed class CreateModeration(InferenceCalls calls) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapInference("/moderations", CallerWire.Moderations, HandleAsync)
            .WithSummary("Ask whether a text is harmful")
            .WithDescription(
                """
                OpenAI's moderations. Body and answer pass as they are; `model` must be given, since it says where the call goes.
                """
            )
            .Accepts<JsonObject>("application/json")
            .Produces<JsonObject>(StatusCodes.Status200OK, "application/json")
            .WithRequestExample(
                JsonNode.Parse(
                    """
                    {"model":"omni-moderation-latest","input":"Hello!"}
                    """
                )!
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                JsonNode.Parse(
                    """
                    {"id":"modr-1","model":"omni-moderation-latest","results":[{"flagged":false,"categories":{},"category_scores":{}}]}
                    """
                )!
            )
            .ProducesError(400, "invalid_request", "We could not parse the JSON body of your request: it is empty.");

    private Task HandleAsync(HttpContext http) => calls.AnswerAsync(http, CallerWire.Moderations);
}
