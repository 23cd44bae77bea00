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

internal sealed class CreateModeration(InferenceCalls calls) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/moderations", (Delegate)HandleAsync)
            // The body is read here, so there is nothing that the framework could check.
            .DisableValidation()
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(OpenAiErrors.Dialect, OwnSizeLimit.Instance)
            .WithTags("OpenAI")
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
            .WithResponseHeader(
                InferenceCalls.InferenceIdHeader,
                "The stream of events that records this call, for `/api/audit/streams/{id}`."
            )
            .ProducesError(400, "invalid_request", "We could not parse the JSON body of your request: it is empty.")
            .ProducesError(404, "model_not_found", OpenAiErrors.Dialect.ModelNotFound("gpt-0").Message)
            .ProducesError(413, "body_too_large", "The body is larger than 33554432 bytes (Gateway:MaxRequestBytes).")
            .ProducesError(502, "upstream_unreachable", "The provider cannot be reached.")
            .ProducesError(504, "upstream_timeout", "The provider did not begin its answer in time.");

    private Task HandleAsync(HttpContext http) => calls.AnswerAsync(http, CallerWire.Moderations);
}
