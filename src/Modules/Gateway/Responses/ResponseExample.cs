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
}
