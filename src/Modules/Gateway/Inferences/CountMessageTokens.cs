using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Anthropic;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

internal sealed class CountMessageTokens(InferenceCalls calls) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/messages/count_tokens", (Delegate)HandleAsync)
            // The body is read here, so there is nothing that the framework could check.
            .DisableValidation()
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(AnthropicErrors.Dialect, OwnSizeLimit.Instance)
            .WithTags("Anthropic")
            .WithSummary("Count the tokens of a message before sending it")
            .WithDescription(
                """
                Anthropic's token count, asked of the model's provider.
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
            .WithResponseHeader(
                InferenceCalls.InferenceIdHeader,
                "The stream of events that records this call, for `/api/audit/streams/{id}`."
            )
            .ProducesError(400, "invalid_request", "We could not parse the JSON body of your request: it is empty.")
            .ProducesError(404, "model_not_found", AnthropicErrors.Dialect.ModelNotFound("gpt-0").Message)
            .ProducesError(413, "body_too_large", "The body is larger than 33554432 bytes (Gateway:MaxRequestBytes).")
            .ProducesError(502, "upstream_unreachable", "The provider cannot be reached.")
            .ProducesError(504, "upstream_timeout", "The provider did not begin its answer in time.");

    private Task HandleAsync(HttpContext http) => calls.AnswerAsync(http, CallerWire.CountTokens);
}
