using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Anthropic;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

internal sealed class CountMessageTokens(InferenceCalls calls) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapInference("/messages/count_tokens", CallerWire.CountTokens, HandleAsync)
            .WithResponseHeader(
                EstimatedCount.Header,
                "`true` where the provider cannot count and the gateway estimated."
            )
            .WithSummary("Count the tokens of a message before sending it")
            .WithDescription(
                """
                Anthropic's token count, asked of the model's provider. Where that cannot count, the gateway estimates, which `x-verbatim-estimated: true` in
                the answer says.
                """
            )
            .Accepts<JsonObject>("application/json")
            .Produces<JsonObject>(StatusCodes.Status200OK, "application/json")
            .WithRequestExample(
                JsonNode.Parse(
                    """
                    {"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"Hello!"}]}
                    """
                )!
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                JsonNode.Parse(
                    """
                    {"input_tokens":9}
                    """
                )!
            )
            .ProducesError(400, "invalid_request", "We could not parse the JSON body of your request: it is empty.");

    private Task HandleAsync(HttpContext http) =>
        calls.AnswerAsync(http, CallerWire.CountTokens, MessageThreads.PrepareAsync);
}
