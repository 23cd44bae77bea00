using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Responses;

internal sealed class CreateResponse(InferenceCalls calls, StoredResponses responses, Conversation conversation)
    : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapInference("/responses", CallerWire.Responses, HandleAsync)
            .WithSummary("Ask a model for a response")
            .WithDescription(
                """
                OpenAI's responses, as JSON or, with `stream: true`, as server-sent events. Where the model's provider speaks this wire, the body goes there
                as it is; otherwise it is translated. `previous_response_id` goes on from any response of yours, whichever provider made it: the same
                deployment is asked as it is, another is sent the conversation written out.
                """
            )
            .Accepts<JsonObject>("application/json")
            .Produces<JsonObject>(StatusCodes.Status200OK, "application/json", "text/event-stream")
            .WithRequestExample(JsonNode.Parse("""{"model":"simulator","input":"Hello!"}""")!)
            .WithResponseExample(StatusCodes.Status200OK, ResponseExample.Value)
            .WithResponseExample(
                StatusCodes.Status200OK,
                """
                event: response.created
                data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_0199a4c27f107c3e9d512f0c8d1e4a77","object":"response","status":"in_progress","output":[]}}

                event: response.output_text.delta
                data: {"type":"response.output_text.delta","sequence_number":1,"item_id":"msg_0199a4c27f107c3e9d512f0c8d1e4a77","output_index":0,"content_index":0,"delta":"Hello!"}

                event: response.completed
                data: {"type":"response.completed","sequence_number":2,"response":{"id":"resp_0199a4c27f107c3e9d512f0c8d1e4a77","object":"response","status":"completed","output":[{"id":"msg_0199a4c27f107c3e9d512f0c8d1e4a77","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello!","annotations":[]}]}]}}


                """,
                "text/event-stream"
            )
            .ProducesError(400, "previous_response_not_found", PreviousNotFound("resp_0").Message);

    private Task HandleAsync(HttpContext http) =>
        calls.AnswerAsync(http, CallerWire.Responses, (request, sink) => PrepareAsync(http, request, sink));

    private async Task<PreparedCall?> PrepareAsync(HttpContext http, WireRequest request, IAnswerSink sink)
    {
        var terms = ResponseTerms.Read(request.Body.Span);
        if (terms.IsBackground)
        {
            await sink.FailAsync(
                new WireError(
                    400,
                    "Unsupported parameter: 'background' is not supported here yet; leave it out and read the stream.",
                    "background",
                    "unsupported_parameter"
                )
            );
            return null;
        }
        var caller = Caller.Of(http);
        var prepared = new PreparedCall(request)
        {
            Also = terms.IsStored
                ? (inference, answer, deployment) =>
                    StoredResponses.Remember(caller.TenantId, caller.PrincipalId, inference, deployment, answer.Span)
                : null,
        };
        if (terms.PreviousResponseId is not { } previousId)
            return prepared;

        var previous = await responses.FindAsync(caller.Access, previousId, http.RequestAborted);
        if (previous is not null && calls.KeepsResponses(caller, request.Model, previous.DeploymentId))
            return prepared with { At = previous.DeploymentId };
        var unfolded = previous is null
            ? null
            : await conversation.UnfoldAsync(caller.Access, request.Body, previous, http.RequestAborted);
        if (unfolded is not { } body || !CallerWire.Responses.TryRead(body, out var sent, out _))
        {
            await sink.FailAsync(PreviousNotFound(previousId));
            return null;
        }
        return prepared with { Sent = sent };
    }

    private static WireError PreviousNotFound(string id) =>
        new(400, $"Previous response with id '{id}' not found.", "previous_response_id", "previous_response_not_found");
}
