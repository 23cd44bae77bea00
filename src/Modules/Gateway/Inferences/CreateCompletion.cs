using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

internal sealed class CreateCompletion(InferenceCalls calls) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/completions", (Delegate)HandleAsync)
            // The body is read here, so there is nothing that the framework could check.
            .DisableValidation()
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(OpenAiErrors.Dialect, OwnSizeLimit.Instance)
            .WithTags("OpenAI")
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
            .WithResponseHeader(
                InferenceCalls.InferenceIdHeader,
                "The stream of events that records this call, for `/api/audit/streams/{id}`."
            )
            .ProducesError(400, "invalid_request", "We could not parse the JSON body of your request: it is empty.")
            .ProducesError(404, "model_not_found", OpenAiErrors.Dialect.ModelNotFound("gpt-0").Message)
            .ProducesError(413, "body_too_large", "The body is larger than 33554432 bytes (Gateway:MaxRequestBytes).")
            .ProducesError(502, "upstream_unreachable", "The provider cannot be reached.")
            .ProducesError(504, "upstream_timeout", "The provider did not begin its answer in time.");

    private Task HandleAsync(HttpContext http) => calls.AnswerAsync(http, CallerWire.Completions);
}
