using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

internal sealed class CreateChatCompletion(InferenceCalls calls) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapInference("/chat/completions", CallerWire.ChatCompletions, HandleAsync)
            .WithSummary("Ask a model for the next message of a chat")
            .WithDescription(
                """
                OpenAI's chat completions. Where the model's provider speaks this wire, the body goes there as it is, unknown fields included, and the
                answer comes back as it is, as JSON or, with `stream: true`, as server-sent events; otherwise both are translated. The call is on record before it is sent, and its outcome before you have
                the last byte: `x-verbatim-inference-id` names the record.
                """
            )
            .Accepts<ChatCompletionBody>("application/json")
            .Produces<ChatCompletionAnswer>(StatusCodes.Status200OK, "application/json", "text/event-stream")
            .WithRequestExample(ChatCompletionBody.Example, "JSON")
            .WithRequestExample(ChatCompletionBody.StreamExample, "stream")
            .WithResponseExample(StatusCodes.Status200OK, ChatCompletionAnswer.Example)
            .WithResponseExample(StatusCodes.Status200OK, ChatCompletionAnswer.StreamExample, "text/event-stream")
            .ProducesError(400, "invalid_type", "Invalid type for 'stream': expected a boolean.");

    private Task HandleAsync(HttpContext http) => calls.AnswerAsync(http, CallerWire.ChatCompletions);
}
