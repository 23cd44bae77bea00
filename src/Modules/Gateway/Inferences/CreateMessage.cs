using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Anthropic;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Inferences;

internal sealed class CreateMessage(InferenceCalls calls) : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapInference("/messages", CallerWire.Messages, HandleAsync)
            .WithSummary("Ask a model for the next message, on Anthropic's wire")
            .WithDescription(
                """
                Anthropic's messages. Where the model's provider speaks this wire, the body goes there as it is and the answer comes back as it is, as JSON or, with
                `stream: true`, as server-sent events; otherwise both are translated. What a provider cannot do is refused with a 400 that names it, or, with
                `x-verbatim-unsupported: warn`, left out and named in a header of that name. The call is on record before it is sent, and its outcome before you
                have the last byte.
                """
            )
            .Accepts<JsonObject>("application/json")
            .Produces<JsonObject>(StatusCodes.Status200OK, "application/json", "text/event-stream")
            .WithRequestExample(
                JsonNode.Parse(
                    """
                    {"model":"simulator","max_tokens":256,"messages":[{"role":"user","content":"Hello!"}]}
                    """
                )!
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                JsonNode.Parse(
                    """
                    {"id":"msg_0199a4c27f107c3e9d512f0c8d1e4a77","type":"message","role":"assistant","model":"simulator","content":[{"type":"text","text":"Hello!"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":8,"output_tokens":2}}
                    """
                )!
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                """
                event: message_start
                data: {"type":"message_start","message":{"id":"msg_0199a4c27f107c3e9d512f0c8d1e4a77","type":"message","role":"assistant","model":"simulator","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":8,"output_tokens":1}}}

                event: content_block_start
                data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

                event: content_block_delta
                data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello!"}}

                event: content_block_stop
                data: {"type":"content_block_stop","index":0}

                event: message_delta
                data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}

                event: message_stop
                data: {"type":"message_stop"}


                """,
                "text/event-stream"
            )
            .ProducesError(400, MessageThreads.Refusal.Code!, MessageThreads.Refusal.Message)
            .ProducesError(400, "invalid_request", "We could not parse the JSON body of your request: it is empty.");

    private Task HandleAsync(HttpContext http) =>
        calls.AnswerAsync(http, CallerWire.Messages, MessageThreads.PrepareAsync);
}
