using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

internal sealed class CreateChatCompletion(InferenceCalls calls) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/chat/completions", (Delegate)HandleAsync)
            // The body is read here, so there is nothing that the framework could check.
            .DisableValidation()
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(OpenAiErrors.Dialect, OwnSizeLimit.Instance)
            .WithTags("OpenAI")
            .WithSummary("Ask a model for the next message of a chat")
            .WithDescription(
                """
                OpenAI's chat completions. The body goes to the provider as it is, unknown fields included, and the answer comes back as it is,
                as JSON or, with `stream: true`, as server-sent events. The call is on record before it is sent, and its outcome before you have
                the last byte: `x-verbatim-inference-id` names the record.
                """
            )
            .Accepts<ChatCompletionBody>("application/json")
            .Produces<ChatCompletionAnswer>(StatusCodes.Status200OK, "application/json", "text/event-stream")
            .WithRequestExample(ChatCompletionBody.Example, "JSON")
            .WithRequestExample(ChatCompletionBody.StreamExample, "stream")
            .WithResponseExample(StatusCodes.Status200OK, ChatCompletionAnswer.Example)
            .WithResponseExample(StatusCodes.Status200OK, ChatCompletionAnswer.StreamExample, "text/event-stream")
            .WithResponseHeader(
                InferenceCalls.InferenceIdHeader,
                "The stream of events that records this call, for `/api/audit/streams/{id}`."
            )
            .ProducesError(400, "invalid_type", "Invalid type for 'stream': expected a boolean.")
            .ProducesError(404, "model_not_found", OpenAiErrors.Dialect.ModelNotFound("gpt-0").Message)
            .ProducesError(413, "body_too_large", "The body is larger than 33554432 bytes (Gateway:MaxRequestBytes).")
            .ProducesError(502, "upstream_unreachable", "The provider cannot be reached.")
            .ProducesError(504, "upstream_timeout", "The provider did not begin its answer in time.");

    private Task HandleAsync(HttpContext http) => calls.AnswerAsync(http, CallerWire.ChatCompletions);
}

/// <summary>Takes Kestrel's limit off a route that counts the bytes itself, so that its own error is answered.</summary>
internal sealed class OwnSizeLimit : IRequestSizeLimitMetadata
{
    public static readonly OwnSizeLimit Instance = new();

    public long? MaxRequestBodySize => null;
}
