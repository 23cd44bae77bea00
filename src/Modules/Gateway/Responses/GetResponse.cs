using System.ComponentModel;
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

namespace Verbatim.Modules.Gateway.Responses;

internal sealed class GetResponse : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/responses/{responseId}", HandleAsync)
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(OpenAiErrors.Dialect)
            .WithTags("OpenAI")
            .WithSummary("Read a response again")
            .WithDescription("A response of yours as it was answered, from the record of its call.")
            .Produces<JsonObject>()
            .WithResponseExample(StatusCodes.Status200OK, ResponseExample.Value)
            .ProducesError(404, "response_not_found", NotFound("resp_0").Message);

    internal static WireError NotFound(string id) =>
        new(404, $"Response with id '{id}' not found.", null, "response_not_found");

    private static async Task HandleAsync(
        [Description("The response's id.")] string responseId,
        HttpContext http,
        Caller caller,
        StoredResponses responses
    )
    {
        if (await responses.FindAsync(caller.Access, responseId, http.RequestAborted) is not { } response)
        {
            await OpenAiErrors.Dialect.WriteAsync(http, NotFound(responseId));
            return;
        }
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = response.Response.Length;
        await http.Response.Body.WriteAsync(response.Response, http.RequestAborted);
    }
}
