using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Responses;

internal sealed class ListInputItems : IEndpoint
{
    public string Prefix => "/v1";

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/responses/{responseId}/input_items", HandleAsync)
            .RequireScope(Scopes.InferencesCreate)
            .WithMetadata(OpenAiErrors.Dialect)
            .WithTags("OpenAI")
            .WithSummary("List what a response was asked")
            .WithDescription("The items of a response's `input`, newest first as OpenAI lists them, each with an id.")
            .Produces<JsonObject>()
            .WithResponseExample(
                StatusCodes.Status200OK,
                JsonNode.Parse(
                    """{"object":"list","data":[{"id":"item_0","type":"message","role":"user","content":[{"type":"input_text","text":"Hello!"}]}],"first_id":"item_0","last_id":"item_0","has_more":false}"""
                )!
            )
            .ProducesError(404, "response_not_found", GetResponse.NotFound("resp_0").Message);

    private static async Task HandleAsync(
        [Description("The response's id.")] string responseId,
        HttpContext http,
        Caller caller,
        StoredResponses responses
    )
    {
        if (await responses.FindAsync(caller.Access, responseId, http.RequestAborted) is not { } response)
        {
            await OpenAiErrors.Dialect.WriteAsync(http, GetResponse.NotFound(responseId));
            return;
        }
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(ListOf(response), http.RequestAborted);
    }

    internal static byte[] ListOf(StoredResponse response)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            using (var request = JsonDocument.Parse(response.Request))
                Conversation.WriteInput(json, request.RootElement);
            json.WriteEndArray();
        }
        var items = JsonNode.Parse(buffer.ToArray())!.AsArray();
        var listed = new JsonArray();
        for (var i = items.Count - 1; i >= 0; i--)
        {
            var item = items[i]!.DeepClone();
            if (item is JsonObject members)
                Complete(members, i);
            listed.Add(item);
        }
        return JsonSerializer.SerializeToUtf8Bytes(
            new JsonObject
            {
                ["object"] = "list",
                ["first_id"] = listed.Count > 0 ? listed[0]?["id"]?.DeepClone() : null,
                ["last_id"] = listed.Count > 0 ? listed[^1]?["id"]?.DeepClone() : null,
                ["has_more"] = false,
                ["data"] = listed,
            }
        );
    }

    // What a caller may leave out of an item is there when it is listed.
    private static void Complete(JsonObject item, int index)
    {
        item["id"] ??= $"item_{index}";
        item["type"] ??= "message";
        if (item["content"] is JsonValue text && text.GetValueKind() == JsonValueKind.String)
            item["content"] = new JsonArray(new JsonObject { ["type"] = "input_text", ["text"] = text.DeepClone() });
    }
}
