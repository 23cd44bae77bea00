using System.Text.Json.Nodes;

namespace Verbatim.Tests.Integration.Gateway.Conformance;

/// <summary>What an application has of an answer, whatever wire it came on.</summary>
internal sealed record Sighting
{
    public string Text { get; init; } = "";

    public string Reasoning { get; init; } = "";

    public string Refusal { get; init; } = "";

    /// <summary>Tools that are called, with their arguments as text.</summary>
    public IReadOnlyList<(string Name, string Arguments)> Calls { get; init; } = [];

    /// <summary><c>stop</c>, <c>length</c>, <c>tools</c>, <c>filter</c>, or the wire's own word.</summary>
    public string? Finish { get; init; }

    /// <summary>All tokens of the prompt, those from a cache too.</summary>
    public long? Input { get; init; }

    public long? Cached { get; init; }

    public long? Output { get; init; }

    /// <summary>How many answers there are.</summary>
    public int Answers { get; init; } = 1;

    /// <summary>The error that ended a stream.</summary>
    public string? Error { get; init; }

    /// <summary>A stream's end is there.</summary>
    public bool IsWhole { get; init; } = true;

    /// <summary>What in the answer is not as the wire wants it.</summary>
    public string? Wrong { get; init; }

    public static Sighting Of(string wire, JsonNode answer) =>
        wire switch
        {
            "chat" => OfCompletion(answer),
            "messages" => OfMessage(answer),
            _ => OfResponse(answer),
        };

    /// <summary>Reads a stream as a client does: event by event.</summary>
    public static Sighting OfStream(string wire, string text) =>
        wire switch
        {
            "chat" => ChunkReader.Read(Events(text)),
            "messages" => MessageEventReader.Read(Events(text)),
            _ => OfResponseEvents(Events(text)),
        };

    private static Sighting OfCompletion(JsonNode answer)
    {
        var choice = answer["choices"]![0]!;
        var message = choice["message"]!;
        return new Sighting
        {
            Text = TextOf(message["content"]),
            Reasoning = TextOf(message["reasoning_content"] ?? message["reasoning"]),
            Refusal = TextOf(message["refusal"]),
            Calls = [.. ArrayOf(message["tool_calls"]).Select(CallOf)],
            Finish = FinishOf(TextOf(choice["finish_reason"])),
            Answers = ArrayOf(answer["choices"]).Count,
        }.With(answer["usage"]);
    }

    private static Sighting OfMessage(JsonNode message)
    {
        var content = ArrayOf(message["content"]);
        var finish = FinishOf(TextOf(message["stop_reason"]));
        return new Sighting
        {
            Text = string.Concat(content.Select(b => TextOf(b!["text"]))),
            Reasoning = string.Concat(content.Select(b => TextOf(b!["thinking"]))),
            // This wire has no other place for it than the text.
            Refusal = finish == "filter" ? string.Concat(content.Select(b => TextOf(b!["text"]))) : "",
            Calls =
            [
                .. content
                    .Where(b => TextOf(b!["type"]) == "tool_use")
                    .Select(b => (TextOf(b!["name"]), b["input"]!.ToJsonString())),
            ],
            Finish = finish,
        }.With(message["usage"]);
    }

    private static Sighting OfResponse(JsonNode response)
    {
        var output = ArrayOf(response["output"]);
        var parts = output.SelectMany(i => ArrayOf(i!["content"])).ToList();
        var calls = output
            .Where(i => TextOf(i!["type"]) == "function_call")
            .Select(i => (TextOf(i!["name"]), TextOf(i["arguments"])))
            .ToList();
        var status = TextOf(response["status"]);
        return new Sighting
        {
            Text = string.Concat(parts.Where(p => TextOf(p!["type"]) == "output_text").Select(p => TextOf(p!["text"]))),
            Reasoning = string.Concat(
                output
                    .Where(i => TextOf(i!["type"]) == "reasoning")
                    .SelectMany(i => ArrayOf(i!["summary"]).Concat(ArrayOf(i["content"])))
                    .Select(p => TextOf(p!["text"]))
            ),
            Refusal = string.Concat(parts.Select(p => TextOf(p!["refusal"]))),
            Calls = calls,
            Finish =
                status == "incomplete" ? FinishOf(TextOf(response["incomplete_details"]?["reason"]))
                : status != "completed" ? status
                : calls.Count > 0 ? "tools"
                : "stop",
            Error = response["error"]?["message"]?.GetValue<string>(),
        }.With(response["usage"]);
    }

    private static Sighting OfResponseEvents(IEnumerable<(string? Name, string Data)> events)
    {
        var seen = new Sighting { IsWhole = false };
        var text = "";
        var sequence = -1L;
        string? wrong = null;
        foreach (var (name, data) in events)
        {
            var json = JsonNode.Parse(data)!;
            var type = TextOf(json["type"]);
            if (name != type)
                wrong ??= $"an event is named {name}, and its type is {type}";
            if (json["sequence_number"]?.GetValue<long>() is not { } number || number <= sequence)
                wrong ??= $"{type} has no sequence_number above {sequence}";
            else
                sequence = number;
            switch (type)
            {
                case "response.output_text.delta":
                    text += TextOf(json["delta"]);
                    break;
                case "response.completed" or "response.incomplete" or "response.failed":
                    seen = OfResponse(json["response"]!) with { IsWhole = true };
                    break;
                case "error":
                    seen = seen with { Error = TextOf(json["message"]) };
                    break;
                default:
                    break;
            }
        }
        if (seen.IsWhole && seen.Error is null && seen.Text != text)
            wrong ??= "the deltas of the text are not the text of the whole";
        return seen with { Wrong = wrong };
    }

    /// <summary>The same with what was counted.</summary>
    public Sighting With(JsonNode? usage)
    {
        if (usage is null)
            return this;
        var read = CountOf(usage["cache_read_input_tokens"]);
        var isAnthropic = usage["cache_read_input_tokens"] is not null;
        return this with
        {
            Input = isAnthropic
                ? CountOf(usage["input_tokens"]) + read + CountOf(usage["cache_creation_input_tokens"])
                : CountOf(usage["input_tokens"] ?? usage["prompt_tokens"]),
            Output = CountOf(usage["output_tokens"] ?? usage["completion_tokens"]),
            Cached = isAnthropic
                ? read
                : CountOf((usage["input_tokens_details"] ?? usage["prompt_tokens_details"])?["cached_tokens"]),
        };
    }

    /// <summary>The words of the three wires as one.</summary>
    public static string? FinishOf(string? word) =>
        word switch
        {
            "end_turn" or "stop_sequence" => "stop",
            "max_tokens" or "max_output_tokens" => "length",
            "tool_calls" or "tool_use" => "tools",
            "refusal" or "content_filter" => "filter",
            _ => word,
        };

    public static string TextOf(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    public static long CountOf(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<long>(out var count) ? count : 0;

    public static JsonArray ArrayOf(JsonNode? node) => node as JsonArray ?? [];

    private static (string, string) CallOf(JsonNode? call) =>
        (TextOf(call!["function"]!["name"]), TextOf(call["function"]!["arguments"]));

    private static IEnumerable<(string? Name, string Data)> Events(string text)
    {
        foreach (var block in text.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string? name = null;
            var data = new List<string>();
            foreach (var line in block.Split('\n'))
            {
                if (line.StartsWith("event:", StringComparison.Ordinal))
                    name = line["event:".Length..].Trim();
                else if (line.StartsWith("data:", StringComparison.Ordinal))
                    data.Add(line["data:".Length..].TrimStart(' '));
            }
            if (data.Count > 0)
                yield return (name, string.Join('\n', data));
        }
    }
}
