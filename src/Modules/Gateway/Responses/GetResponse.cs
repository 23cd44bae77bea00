using System.ComponentModel;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>How a response is to be answered.</summary>
public sealed record GetResponseRequest
{
    /// <summary>As a stream.</summary>
    [FromQuery(Name = "stream")]
    [Description(
        "`true`: as the stream that it came as, for a response that was created with `background` and `stream`."
    )]
    public string? Stream { get; init; }

    /// <summary>The last event that the client has.</summary>
    [FromQuery(Name = "starting_after")]
    [Description(
        "With `stream=true`: the `sequence_number` of the last event that you have; those behind it follow. All of them without it."
    )]
    public string? StartingAfter { get; init; }
}

internal sealed class GetResponse(StoredResponses responses, FollowedResponse followed) : IEndpoint
{
    private static readonly WireError NotInBackground = new(
        400,
        "This response cannot be streamed because it was not created with background=true.",
        "stream",
        null
    );

    private static readonly WireError NotStreamed = new(
        400,
        "This response cannot be streamed because it was not created with stream=true.",
        "stream",
        null
    );

    private static readonly WireError InvalidStream = new(
        400,
        "Invalid value for 'stream': give true or false.",
        "stream",
        "invalid_value"
    );

    private static readonly WireError InvalidStart = new(
        400,
        "Invalid value for 'starting_after': give the sequence_number of an event, a whole number, together with stream=true.",
        "starting_after",
        "invalid_value"
    );

    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/responses/{responseId}", HandleAsync)
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(OpenAiErrors.Dialect)
            .WithTags("OpenAI")
            .WithSummary("Read a response again")
            .WithDescription(
                """
                A response of yours as it was answered, from the record of its call. One that is made in the background is there from the moment that it was
                asked for: `queued`, `in_progress`, then as it ended. With `stream=true` one that was also asked for as a stream is answered as that: every event
                behind `starting_after` once, then those that come, until the last; from any instance, and for as long as the response is kept.
                """
            )
            .Produces<JsonObject>(StatusCodes.Status200OK, "application/json", "text/event-stream")
            .WithResponseExample(StatusCodes.Status200OK, ResponseExample.Value)
            .WithResponseExample(StatusCodes.Status200OK, ResponseExample.Stream, "text/event-stream")
            .ProducesError(400, "invalid_value", InvalidStart.Message)
            .ProducesError(400, "invalid_request_error", NotInBackground.Message)
            .ProducesError(404, "response_not_found", NotFound("resp_0").Message);

    internal static WireError NotFound(string id) =>
        new(404, $"Response with id '{id}' not found.", null, "response_not_found");

    /// <summary>Answers with a response.</summary>
    internal static async Task WriteAsync(HttpContext http, StoredResponse response)
    {
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = response.Response.Length;
        await http.Response.Body.WriteAsync(response.Response, http.RequestAborted);
    }

    private async Task HandleAsync(
        [Description("The response's id.")] string responseId,
        [AsParameters] GetResponseRequest request,
        HttpContext http,
        Caller caller
    )
    {
        var response = await responses.FindAsync(caller.Access, responseId, http.RequestAborted);
        var after = -1;
        var error = response is null ? NotFound(responseId) : Check(request, response, out after);
        if (error is not null)
            await OpenAiErrors.Dialect.WriteAsync(http, error);
        else if (request.Stream is "true")
            await followed.AnswerAsync(http, caller.Access, response!, after);
        else
            await WriteAsync(http, response!);
    }

    private static WireError? Check(GetResponseRequest request, StoredResponse response, out int after)
    {
        after = -1;
        if (request.Stream is not (null or "true" or "false"))
            return InvalidStream;
        if (
            request.StartingAfter is { } start
            && (
                request.Stream is not "true"
                || !int.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out after)
            )
        )
            return InvalidStart;
        if (request.Stream is not "true")
            return null;
        return response.Background switch
        {
            null => NotInBackground,
            { IsStreamed: false } => NotStreamed,
            _ => null,
        };
    }
}
