using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi.Responses;
using Verbatim.Modules.Gateway.Wire.Translation;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Responses;

internal sealed class CreateResponse(
    InferenceCalls calls,
    StoredResponses responses,
    Conversation conversation,
    BackgroundResponses background,
    FollowedResponse followed
) : IEndpoint
{
    private static readonly WireError NotStored = new(
        400,
        "Unsupported parameter: 'background' needs 'store' to be true, since what nobody waits for must be read again.",
        "background",
        "unsupported_parameter"
    );

    private static readonly WireError NotKept = new(
        400,
        "Unsupported parameter: 'background' cannot be used here, since your organization keeps no bodies of calls, and what nobody waits for must be read again.",
        "background",
        "unsupported_parameter"
    );

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

                With `background: true`, which any model can be asked with, the answer is there at once, `queued`; it is made whether you stay or not. Read it again
                until it has ended, or `POST …/cancel` it. With `stream: true` as well its events come as they are made and are kept: `GET …?stream=true` with
                `starting_after` takes the stream up again, also elsewhere and later.
                """
            )
            .Accepts<JsonObject>("application/json")
            .Produces<JsonObject>(StatusCodes.Status200OK, "application/json", "text/event-stream")
            .WithRequestExample(JsonNode.Parse("""{"model":"simulator","input":"Hello!"}""")!)
            .WithResponseExample(StatusCodes.Status200OK, ResponseExample.Value)
            .WithResponseExample(StatusCodes.Status200OK, ResponseExample.Stream, "text/event-stream")
            .ProducesError(400, "unsupported_parameter", NotStored.Message)
            .ProducesError(400, "previous_response_not_found", PreviousNotFound("resp_0").Message);

    private Task HandleAsync(HttpContext http) =>
        calls.AnswerAsync(http, CallerWire.Responses, (request, sink) => PrepareAsync(http, request, sink));

    private async Task<PreparedCall?> PrepareAsync(HttpContext http, WireRequest request, IAnswerSink sink)
    {
        var terms = ResponseTerms.Read(request.Body.Span);
        if (terms.IsBackground)
        {
            var refusal =
                !terms.IsStored ? NotStored
                : !calls.KeepsBodies(InferenceCalls.CallerOf(http)) ? NotKept
                : null;
            if (refusal is not null)
            {
                await sink.FailAsync(refusal);
                return null;
            }
        }
        if (await ReadOnAsync(http, request, terms) is not { } prepared)
        {
            await sink.FailAsync(PreviousNotFound(terms.PreviousResponseId!));
            return null;
        }
        if (!terms.IsBackground)
            return prepared;
        await RunInBackgroundAsync(http, prepared, sink);
        return null;
    }

    // Null when the response that it goes on from is not there.
    private async Task<PreparedCall?> ReadOnAsync(HttpContext http, WireRequest request, ResponseTerms terms)
    {
        var caller = Caller.Of(http);
        var body = request.Body;
        var told = new List<JsonMember>();
        Guid? at = null;
        if (terms.PreviousResponseId is { } previousId)
        {
            var previous = await responses.FindAsync(caller.Access, previousId, http.RequestAborted);
            if (previous is not { IsAnswered: true })
                return null;
            if (calls.KeepsResponses(caller, request.Model, previous.DeploymentId))
            {
                at = previous.DeploymentId;
                if (previous.UpstreamId is { } upstreamId && upstreamId != previousId)
                {
                    told.Add(JsonMember.OfText("previous_response_id", previousId));
                    body = JsonMembers.With(body.Span, JsonMember.OfText("previous_response_id", upstreamId));
                }
            }
            else
            {
                told.Add(JsonMember.OfText("previous_response_id", previousId));
                var unfolded = await conversation.UnfoldAsync(caller.Access, body, previous, http.RequestAborted);
                if (unfolded is not { } whole)
                    return null;
                body = whole;
            }
        }
        // Any provider can be asked for what is made in the background: it is the gateway that waits.
        if (terms.IsBackground)
            body = JsonMembers.With(body.Span, JsonMember.Without("background"));
        var sent = request;
        if (!body.Equals(request.Body) && !CallerWire.Responses.TryRead(body, out sent, out _))
            return null;

        return new PreparedCall(request)
        {
            Sent = sent,
            At = at,
            Amend = identity => AmendmentsOf(identity, told, terms.IsBackground),
            Also = (inference, answer, attempt) =>
                terms switch
                {
                    { IsBackground: true } => BackgroundRow.Made(
                        caller.TenantId,
                        BackgroundRun.IdOf(inference),
                        attempt.Deployment.Settings.Id,
                        attempt.UpstreamAnswerId
                    ),
                    { IsStored: true } => StoredResponses.Remember(
                        caller.TenantId,
                        caller.PrincipalId,
                        inference,
                        attempt.Deployment.Settings.Id,
                        answer.Span
                    ),
                    _ => null,
                },
        };
    }

    private static ResponseAmendments? AmendmentsOf(
        AnswerIdentity identity,
        List<JsonMember> told,
        bool isBackground
    ) =>
        isBackground
            ? new ResponseAmendments([
                .. told,
                JsonMember.OfText("id", BackgroundRun.IdOf(identity.Id)),
                new JsonMember(
                    "created_at",
                    JsonSerializer.SerializeToUtf8Bytes(identity.CreatedAt.ToUnixTimeSeconds())
                ),
                new JsonMember("background", "true"u8.ToArray()),
            ])
        : told.Count > 0 ? new ResponseAmendments([.. told])
        : null;

    private async Task RunInBackgroundAsync(HttpContext http, PreparedCall prepared, IAnswerSink sink)
    {
        // The request's own headers end with it.
        var headers = new HeaderDictionary();
        foreach (var (name, value) in http.Request.Headers)
            headers[name] = value;
        var (run, refused) = await background.StartAsync(InferenceCalls.CallerOf(http), prepared, headers);
        if (refused is not null)
        {
            if (refused.Status == StatusCodes.Status503ServiceUnavailable)
                sink.Headers.RetryAfter = "1";
            await sink.FailAsync(refused);
            return;
        }
        if (run.Warning is { } warning)
            sink.Headers[InferenceCalls.UnsupportedHeader] = warning;
        var access = Caller.Of(http).Access;
        var response = await responses.FindAsync(access, run.Id, http.RequestAborted);
        if (response is null)
            await sink.FailAsync(GetResponse.NotFound(run.Id));
        else if (prepared.Asked.Stream)
            await followed.AnswerAsync(http, access, response, after: -1);
        else
        {
            sink.Headers[InferenceCalls.InferenceIdHeader] = response.InferenceId.ToString();
            await GetResponse.WriteAsync(http, response);
        }
    }

    private static WireError PreviousNotFound(string id) =>
        new(400, $"Previous response with id '{id}' not found.", "previous_response_id", "previous_response_not_found");
}
