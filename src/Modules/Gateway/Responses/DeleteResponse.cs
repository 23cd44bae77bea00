using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>A response that is gone, as OpenAI's API says it.</summary>
/// <param name="Id">The response.</param>
/// <param name="Object">Always <c>response</c>.</param>
/// <param name="Deleted">Always true.</param>
internal sealed record DeletedResponse(string Id, string Object, bool Deleted);

internal sealed class DeleteResponse : IEndpoint
{
    // OpenAI's own words for it.
    private static readonly WireError InFlight = new(400, "Cannot delete an in-flight response.", "response_id", null);

    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapDelete("/responses/{responseId}", HandleAsync)
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(OpenAiErrors.Dialect)
            .WithTags("OpenAI")
            .WithSummary("Delete a response")
            .WithDescription(
                "From now on it is neither answered nor built upon, and its kept stream is gone. The record of its call stays, with the deletion behind it."
            )
            .Produces<DeletedResponse>()
            .WithResponseExample(
                StatusCodes.Status200OK,
                new DeletedResponse("resp_0199a4c27f107c3e9d512f0c8d1e4a77", "response", Deleted: true)
            )
            .ProducesError(400, "invalid_request_error", InFlight.Message)
            .ProducesError(404, "response_not_found", GetResponse.NotFound("resp_0").Message);

    private static async Task HandleAsync(
        [Description("The response's id.")] string responseId,
        HttpContext http,
        Caller caller,
        StoredResponses responses,
        DocumentStore documents
    )
    {
        var found = await responses.FindAsync(caller.Access, responseId, http.RequestAborted);
        if (found is null)
        {
            await OpenAiErrors.Dialect.WriteAsync(http, GetResponse.NotFound(responseId));
            return;
        }
        if (!found.HasOutcome)
        {
            await OpenAiErrors.Dialect.WriteAsync(http, InFlight);
            return;
        }
        var outcome = await documents.DecideAsync<Inference>(
            caller.For(http),
            found.InferenceId,
            inference =>
                inference is { IsResponseDeleted: false }
                    ? Decision
                        .Append(new ResponseDeleted(responseId))
                        .AlsoWriting(
                            StoredResponses.Forget(caller.TenantId, responseId),
                            BackgroundRow.DropOutput(caller.TenantId, responseId)
                        )
                    : Decision.Refuse(RefusalKind.NotFound, "gateway.response-not-found", "There is no such response."),
            http.RequestAborted
        );
        await (
            outcome.IsSuccess
                ? TypedResults.Ok(new DeletedResponse(responseId, "response", Deleted: true)).ExecuteAsync(http)
                : OpenAiErrors.Dialect.WriteAsync(http, GetResponse.NotFound(responseId))
        );
    }
}
