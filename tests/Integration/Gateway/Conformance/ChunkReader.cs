using System.Text.Json.Nodes;

namespace Verbatim.Tests.Integration.Gateway.Conformance;

/// <summary>Puts the chunks of a chat completion together, as the official clients do.</summary>
internal static class ChunkReader
{
    public static Sighting Read(IEnumerable<(string? Name, string Data)> events)
    {
        var seen = new Sighting { IsWhole = false };
        var calls = new SortedDictionary<long, (string Name, string Arguments)>();
        var answers = new HashSet<long>();
        foreach (var (_, data) in events)
        {
            if (seen.IsWhole)
                seen = seen with { Wrong = "an event comes after [DONE]" };
            if (data == "[DONE]")
            {
                seen = seen with { IsWhole = true };
                continue;
            }
            var chunk = JsonNode.Parse(data)!;
            if (chunk["error"] is { } error)
                seen = seen with { Error = Sighting.TextOf(error["message"]) };
            seen = seen.With(chunk["usage"]);
            foreach (var choice in Sighting.ArrayOf(chunk["choices"]))
            {
                answers.Add(Sighting.CountOf(choice!["index"]));
                if (choice["delta"] is not { } delta)
                    continue;
                seen = seen with
                {
                    Text = seen.Text + Sighting.TextOf(delta["content"]),
                    Reasoning = seen.Reasoning + Sighting.TextOf(delta["reasoning_content"] ?? delta["reasoning"]),
                    Refusal = seen.Refusal + Sighting.TextOf(delta["refusal"]),
                    Finish = choice["finish_reason"] is { } reason
                        ? Sighting.FinishOf(Sighting.TextOf(reason))
                        : seen.Finish,
                };
                foreach (var call in Sighting.ArrayOf(delta["tool_calls"]))
                {
                    var index = Sighting.CountOf(call!["index"]);
                    var (name, arguments) = calls.GetValueOrDefault(index, ("", ""));
                    calls[index] = (
                        name + Sighting.TextOf(call["function"]?["name"]),
                        arguments + Sighting.TextOf(call["function"]?["arguments"])
                    );
                }
            }
        }
        return seen with { Calls = [.. calls.Values], Answers = answers.Count };
    }
}
