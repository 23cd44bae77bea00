using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

internal sealed class CreateCompletion(InferenceCalls calls) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapInference("/completions", CallerWire.Completions, HandleAsync)
            .WithSummary("Continue a text (legacy)")
            .WithDescription(
                """
                OpenAI's legacy completions, for models that still have them. Body and answer pass as they are.
                """
            )
            .Accepts<JsonObject>("application/json")
            .Produces<JsonObject>(StatusCodes.Status200OK, "application/json", "text/event-stream")
            .WithRequestExample(
                JsonNode.Parse(
                    """
                    {"model":"gpt-3.5-turbo-instruct","prompt":"Say hello"}
                    """
                )!
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                JsonNode.Parse(
                    """
                    {"id":"cmpl-1","object":"text_completion","created":1767225600,"model":"gpt-3.5-turbo-instruct","choices":[{"text":"Hello!","index":0,"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}
                    """
                )!
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                """
                data: {"id":"cmpl-1","object":"text_completion","created":1767225600,"model":"gpt-3.5-turbo-instruct","choices":[{"text":"Hello!","index":0,"logprobs":null,"finish_reason":null}]}

                data: {"id":"cmpl-1","object":"text_completion","created":1767225600,"model":"gpt-3.5-turbo-instruct","choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}]}

                data: [DONE]


                """,
                "text/event-stream"
            )
            .ProducesError(400, "invalid_request", "We could not parse the JSON body of your request: it is empty.");

    private Task HandleAsync(HttpContext http) => calls.AnswerAsync(http, CallerWire.Completions);
}
