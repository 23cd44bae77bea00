using System.Text.Json.Nodes;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>A response, for the API's description.</summary>
internal static class ResponseExample
{
    public static readonly JsonNode Value = JsonNode.Parse(
        """
        {
          "id": "resp_0199a4c27f107c3e9d512f0c8d1e4a77",
          "object": "response",
          "created_at": 1772443800,
          "status": "completed",
          "model": "simulator",
          "output": [
            {
              "id": "msg_0199a4c27f107c3e9d512f0c8d1e4a77",
              "type": "message",
              "status": "completed",
              "role": "assistant",
              "content": [{ "type": "output_text", "text": "Hello!", "annotations": [] }]
            }
          ],
          "usage": { "input_tokens": 8, "output_tokens": 2, "total_tokens": 10 }
        }
        """
    )!;

    public static readonly JsonNode Queued = Without("queued");

    public static readonly JsonNode Cancelled = Without("cancelled");

    public const string Stream = """
        event: response.created
        data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_0199a4c27f107c3e9d512f0c8d1e4a77","object":"response","status":"in_progress","output":[]}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","sequence_number":1,"item_id":"msg_0199a4c27f107c3e9d512f0c8d1e4a77","output_index":0,"content_index":0,"delta":"Hello!"}

        event: response.completed
        data: {"type":"response.completed","sequence_number":2,"response":{"id":"resp_0199a4c27f107c3e9d512f0c8d1e4a77","object":"response","status":"completed","output":[{"id":"msg_0199a4c27f107c3e9d512f0c8d1e4a77","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello!","annotations":[]}]}]}}


        """;

    private static JsonNode Without(string status)
    {
        var response = Value.DeepClone();
        response["status"] = status;
        response["background"] = true;
        response["output"] = new JsonArray();
        response["usage"] = null;
        return response;
    }
}
