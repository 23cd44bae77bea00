using System.Text.Json.Nodes;

namespace Verbatim.Tests.Integration.Gateway.Conformance;

/// <summary>Puts the events of one of Anthropic's messages together, as the official clients do.</summary>
internal static class MessageEventReader
{
    public static Sighting Read(IEnumerable<(string? Name, string Data)> events)
    {
        var seen = new Sighting { IsWhole = false };
        var message = new JsonObject();
        var arguments = new Dictionary<long, string>();
        string? wrong = null;
        foreach (var (name, data) in events)
        {
            var json = JsonNode.Parse(data)!;
            var type = Sighting.TextOf(json["type"]);
            if (name != type)
                wrong ??= $"an event is named {name}, and its type is {type}";
            if (seen.IsWhole)
                wrong ??= $"{type} comes after message_stop";
            switch (type)
            {
                case "message_start":
                    message = json["message"]!.DeepClone().AsObject();
                    break;
                case "content_block_start":
                    if (Sighting.CountOf(json["index"]) != Sighting.ArrayOf(message["content"]).Count)
                        wrong ??= "the blocks' indices do not follow each other";
                    Sighting.ArrayOf(message["content"]).Add(json["content_block"]!.DeepClone());
                    break;
                case "content_block_delta":
                    Add(message, json, arguments);
                    break;
                case "message_delta":
                    message["stop_reason"] = json["delta"]!["stop_reason"]?.DeepClone();
                    foreach (var (member, value) in json["usage"]?.AsObject() ?? [])
                        message["usage"]!.AsObject()[member] = value?.DeepClone();
                    break;
                case "message_stop":
                    seen = seen with { IsWhole = true };
                    break;
                case "error":
                    seen = seen with { Error = Sighting.TextOf(json["error"]?["message"]) };
                    break;
                default:
                    break;
            }
        }
        foreach (var (index, text) in arguments)
            message["content"]![(int)index]!["input"] = JsonNode.Parse(text.Length == 0 ? "{}" : text);
        return Sighting.Of("messages", message) with { IsWhole = seen.IsWhole, Error = seen.Error, Wrong = wrong };
    }

    private static void Add(JsonObject message, JsonNode json, Dictionary<long, string> arguments)
    {
        var index = Sighting.CountOf(json["index"]);
        var block = Sighting.ArrayOf(message["content"])[(int)index]!;
        var delta = json["delta"]!;
        switch (Sighting.TextOf(delta["type"]))
        {
            case "text_delta":
                block["text"] = Sighting.TextOf(block["text"]) + Sighting.TextOf(delta["text"]);
                break;
            case "thinking_delta":
                block["thinking"] = Sighting.TextOf(block["thinking"]) + Sighting.TextOf(delta["thinking"]);
                break;
            case "signature_delta":
                block["signature"] = Sighting.TextOf(delta["signature"]);
                break;
            case "input_json_delta":
                arguments[index] = arguments.GetValueOrDefault(index, "") + Sighting.TextOf(delta["partial_json"]);
                break;
            default:
                break;
        }
    }
}
