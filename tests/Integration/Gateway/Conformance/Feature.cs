using System.Text.Json;
using System.Text.Json.Nodes;
using Verbatim.Tests.Integration.Support;

namespace Verbatim.Tests.Integration.Gateway.Conformance;

/// <summary>One thing that an application may ask for or be given, from <c>features.json</c>.</summary>
internal sealed record Feature
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private static readonly Dictionary<string, string> Basic = new(StringComparer.Ordinal)
    {
        ["chat"] = """{"messages":[{"role":"user","content":"Hello"}]}""",
        ["responses"] = """{"input":"Hello"}""",
        ["messages"] = """{"max_tokens":1024,"messages":[{"role":"user","content":"Hello"}]}""",
    };

    public required string Group { get; init; }

    public required string Name { get; init; }

    /// <summary>What is in the request on each wire, over the basic one; null where the wire has no word for it.</summary>
    public JsonObject? Chat { get; init; }

    public JsonObject? Responses { get; init; }

    public JsonObject? Messages { get; init; }

    /// <summary>Commands to the provider by the wire that it is asked on; <c>all</c> for the others.</summary>
    public IReadOnlyDictionary<string, string> Commands { get; init; } = new Dictionary<string, string>();

    /// <summary>What must be in the request that the provider gets.</summary>
    public IReadOnlyList<string> Sends { get; init; } = [];

    /// <summary>The same where a wire says it otherwise.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> SendsAt { get; init; } =
        new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Wires whose callers are given it by the gateway itself: the answer repeats it, whatever the provider knows.</summary>
    public IReadOnlyList<string> Kept { get; init; } = [];

    /// <summary>What the application must have of the answer.</summary>
    public Expectation Sees { get; init; } = new();

    /// <summary>The status of the error that the provider answers with.</summary>
    public int? Status { get; init; }

    /// <summary>The text of the error that must reach the application.</summary>
    public string? Says { get; init; }

    /// <summary>The <c>retry-after</c> that must reach it.</summary>
    public string? Pause { get; init; }

    /// <summary>The stream ends with an error.</summary>
    public bool Breaks { get; init; }

    /// <summary>Kinds of providers whose servers do not tell it, in chat completions at least.</summary>
    public IReadOnlyList<string> Untold { get; init; } = [];

    /// <summary>The provider may do without it: nothing of the answer depends on it.</summary>
    public bool Hint { get; init; }

    /// <summary><c>stream</c> where there is no such thing in a whole answer.</summary>
    public string? Only { get; init; }

    public static IReadOnlyList<Feature> ReadAll()
    {
        using var file = File.OpenRead(
            Path.Combine(Repository.Root, "tests", "Integration", "Gateway", "Conformance", "features.json")
        );
        return JsonSerializer.Deserialize<List<Feature>>(file, Json)!;
    }

    /// <summary>Whether an application can ask for it on the wire.</summary>
    public bool IsOn(string wire) => OwnMembers(wire) is not null;

    /// <summary>The members of the request that ask for it.</summary>
    public JsonObject? OwnMembers(string wire) =>
        wire switch
        {
            "chat" => Chat,
            "responses" => Responses,
            _ => Messages,
        };

    /// <summary>The request.</summary>
    public string BodyFor(string wire, string model, bool stream)
    {
        var body = JsonNode.Parse(Basic[wire])!.AsObject();
        foreach (var (member, value) in OwnMembers(wire)!)
            body[member] = value?.DeepClone();
        body["model"] = model;
        if (stream)
            body["stream"] = true;
        if (stream && wire == "chat")
            body["stream_options"] = new JsonObject { ["include_usage"] = true };
        return body.ToJsonString();
    }

    /// <summary>What the provider is told to do, with a mark to find the request by.</summary>
    public string CommandsFor(string upstream, string marker)
    {
        var commands = new List<string> { "marker=" + marker };
        // The other wires of the fake provider are always checked.
        if (upstream == "chat")
            commands.Add("strict");
        if ((Commands.GetValueOrDefault(upstream) ?? Commands.GetValueOrDefault("all")) is { Length: > 0 } own)
            commands.Add(own);
        return string.Join(',', commands);
    }
}

/// <summary>What must be in an answer; null where it does not matter.</summary>
internal sealed record Expectation
{
    public string? Text { get; init; }

    public string? Reasoning { get; init; }

    /// <summary>The model's no: as a refusal, as the reason of the end, or, where the wire has neither, as the text.</summary>
    public string? Refused { get; init; }

    public string? Finish { get; init; }

    public IReadOnlyList<string>? Calls { get; init; }

    public long? Input { get; init; }

    public long? Output { get; init; }

    public bool? IsCached { get; init; }

    /// <summary>What is not so; null when all is.</summary>
    public string? Missed(Sighting seen)
    {
        if (seen.Wrong is { } wrong)
            return wrong;
        if (Calls is not null && !Calls.SequenceEqual(seen.Calls.Select(c => c.Name), StringComparer.Ordinal))
            return $"the calls are of [{string.Join(", ", seen.Calls.Select(c => c.Name))}]";
        foreach (var (name, arguments) in seen.Calls)
        {
            if (!IsObject(arguments))
                return $"the arguments of {name} are no JSON object: {arguments}";
        }
        return Differs("text", Text, seen.Text)
            ?? Differs("reasoning", Reasoning, seen.Reasoning)
            ?? (
                Refused is null || seen.Finish == "filter" || seen.Refusal == Refused || seen.Text == Refused
                    ? null
                    : "the refusal is not told"
            )
            ?? Differs("finish", Finish, seen.Finish)
            ?? Differs("input", Input, seen.Input)
            ?? Differs("output", Output, seen.Output)
            ?? (IsCached == true && seen.Cached is not > 0 ? "the tokens from the cache are not told" : null);
    }

    private static string? Differs<T>(string what, T? expected, T? seen) =>
        expected is null || Equals(expected, seen) ? null : $"{what} is '{seen}' instead of '{expected}'";

    private static bool IsObject(string arguments)
    {
        try
        {
            return JsonNode.Parse(arguments) is JsonObject;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
