using System.ComponentModel;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Responses;

internal sealed class CancelResponse(StoredResponses responses, BackgroundResponses background, DocumentStore documents)
    : IEndpoint
{
    // OpenAI's own words for it.
    private static readonly WireError Synchronous = new(
        400,
        "Cannot cancel a synchronous response.",
        "response_id",
        null
    );

    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/responses/{responseId}/cancel", HandleAsync)
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(OpenAiErrors.Dialect)
            .WithTags("OpenAI")
            .WithSummary("Cancel a response that is made in the background")
            .WithDescription(
                """
                Ends the call on whichever instance it runs, and what came of it is dropped: the response is `cancelled` from now on, and has no output. Its
                record keeps what had come, and what it cost. Cancelling again changes nothing; a response that has ended otherwise cannot be cancelled.
                """
            )
            .Produces<JsonObject>()
            .WithResponseExample(StatusCodes.Status200OK, ResponseExample.Cancelled)
            .ProducesError(400, "invalid_request_error", Synchronous.Message)
            .ProducesError(404, "response_not_found", GetResponse.NotFound("resp_0").Message);

    private async Task HandleAsync(
        [Description("The response's id.")] string responseId,
        HttpContext http,
        Caller caller
    )
    {
        var context = caller.For(http);
        // Who reads all of the organization does not change all of it.
        var access = context.OnlyOwnedBy is { } owner ? Access.ToOwn(caller.TenantId, owner) : caller.Access;
        var found = await responses.FindAsync(access, responseId, http.RequestAborted);
        if (found is { Background: { } row } && !found.Status.IsFinal())
        {
            await documents.DecideAsync<ResponseCancellation>(
                context,
                row.CancellationId,
                cancellation => Decide(cancellation, caller.TenantId, found),
                http.RequestAborted
            );
            background.Cancel(found.InferenceId);
            // It may have ended meanwhile: the log tells which came first.
            found = await responses.FindAsync(access, responseId, http.RequestAborted);
        }
        var error = found switch
        {
            null => GetResponse.NotFound(responseId),
            { Background: null } => Synchronous,
            { Status: ResponseStatus.Cancelled } => null,
            _ => new WireError(
                400,
                $"Cannot cancel {(found.Status == ResponseStatus.Incomplete ? "an" : "a")} {ResponseStatuses.NameOf(found.Status)} response.",
                "response_id",
                null
            ),
        };
        await (error is null ? GetResponse.WriteAsync(http, found!) : OpenAiErrors.Dialect.WriteAsync(http, error));
    }

    internal static Decision Decide(ResponseCancellation? cancellation, Guid tenantId, StoredResponse response) =>
        cancellation is null
            ? Decision
                .Append(new ResponseCancellationRequested(response.Id, response.InferenceId, response.OwnerId))
                .AlsoWriting(BackgroundRow.Cancel(tenantId, response.Id))
            : Decision.Nothing;
}
