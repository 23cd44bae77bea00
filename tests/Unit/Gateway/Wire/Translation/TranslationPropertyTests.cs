using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

/// <summary>What holds of every pair of wires, whatever a caller or a provider sends.</summary>
public sealed class TranslationPropertyTests
{
    private static readonly Operation[] Wires = [Operation.ChatCompletions, Operation.Messages, Operation.Responses];

    public static TheoryData<string, string> Pairs
    {
        get
        {
            var pairs = new TheoryData<string, string>();
            foreach (var caller in Wires)
            {
                foreach (var target in Wires.Where(w => w != caller))
                    pairs.Add(caller.ToString(), target.ToString());
            }
            return pairs;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Any_request_is_translated_into_json_or_refused(string caller, string target) =>
        Prop.ForAll(
                Mutated(Transcripts.RequestOf(Enum.Parse<Operation>(caller))).ToArbitrary(),
                body =>
                {
                    var isOpen = TranslatedCall.TryOpen(
                        Enum.Parse<Operation>(caller),
                        body,
                        new TranslationTarget(Enum.Parse<Operation>(target), "claude-opus-5", 4096),
                        Translated.Identity,
                        out var call,
                        out var error
                    );
                    return isOpen ? IsObject(call!.Body.Span) : error!.Status == 400;
                }
            )
            .Check(Generators.Tests(200));

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Any_stream_gives_events_of_the_callers_wire_however_it_is_cut(string caller, string target)
    {
        var wire = Enum.Parse<Operation>(caller);
        var events = Transcripts
            .StreamOf(Enum.Parse<Operation>(target))
            .Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        var mutated =
            from seed in Gen.Choose(0, int.MaxValue)
            from value in Generators.JsonValue(1)
            from cuts in Generators.Cuts
            select (Stream: Shuffled(events, seed, value), Cuts: cuts);
        var call = Open(wire, Enum.Parse<Operation>(target));

        Prop.ForAll(
                mutated.ToArbitrary(),
                c =>
                {
                    var whole = Run(call, c.Stream, [1 << 20]);
                    var cut = Run(call, c.Stream, c.Cuts);
                    EventRules.Check(wire, whole.Events);
                    return whole == cut && IsObject(Encoding.UTF8.GetBytes(whole.Record));
                }
            )
            .Check(Generators.Tests(150));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Any_answer_is_translated_into_json_or_is_none(string caller, string target)
    {
        var call = Open(Enum.Parse<Operation>(caller), Enum.Parse<Operation>(target));
        Prop.ForAll(
                Mutated(Transcripts.AnswerOf(Enum.Parse<Operation>(target))).ToArbitrary(),
                body =>
                    (!call.TryTranslateAnswer(body, out var answer, out _) || IsObject(answer))
                    && call.TranslateError(500, body) is { Status: 500, Message.Length: > 0 }
            )
            .Check(Generators.Tests(200));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void What_both_wires_can_say_comes_back_as_it_went(string caller, string target)
    {
        var (there, back) = (Enum.Parse<Operation>(caller), Enum.Parse<Operation>(target));
        Prop.ForAll(
                Conversations.Bodies(there).ToArbitrary(),
                body =>
                {
                    var once = Sent(there, back, body);
                    var again = Sent(back, there, once);
                    var twice = Sent(there, back, again);
                    // The second way there says the same as the first: nothing was lost on the way back.
                    return JsonNode.DeepEquals(JsonNode.Parse(once), JsonNode.Parse(twice));
                }
            )
            .Check(Generators.Tests(200));
    }

    private static string Sent(Operation caller, Operation target, string body)
    {
        var call = Translated.Open(caller, target, body, target == Operation.Messages ? "claude-opus-4-6" : "gpt-5");
        Assert.Equal("", Translated.UnsupportedOf(call));
        return Translated.BodyOf(call);
    }

    private static TranslatedCall Open(Operation caller, Operation target) =>
        Translated.Open(caller, target, Transcripts.RequestOf(caller));

    private static (string Events, string Record, TokenUsage? Usage, bool IsComplete, bool HasError) Run(
        TranslatedCall call,
        byte[] stream,
        int[] cuts
    )
    {
        using var relay = call.OpenStream();
        using var reader = new SseReader();
        var output = new List<byte>();
        foreach (var chunk in Generators.Chunks(stream, cuts))
        {
            reader.Feed(chunk);
            while (reader.TryRead(out var sse))
                output.AddRange(relay.Relay(sse).Span);
        }
        if (reader.TryReadRemainder(out var rest))
            output.AddRange(relay.Relay(rest).Span);
        output.AddRange(relay.End().Span);
        // Throws where anything is not UTF-8.
        var strict = new UTF8Encoding(false, throwOnInvalidBytes: true);
        return (
            strict.GetString([.. output]),
            strict.GetString(relay.ToArray()),
            relay.Usage,
            relay.IsComplete,
            relay.HasError
        );
    }

    private static bool IsObject(ReadOnlySpan<byte> json)
    {
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(json);
        using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 200 });
        return document.RootElement.ValueKind == JsonValueKind.Object;
    }

    /// <summary>Events left out, repeated, exchanged, or with a value or a byte changed.</summary>
    private static byte[] Shuffled(string[] events, int seed, string value)
    {
        // Repeatable: the seed is the generator's.
        var random = new Random(seed);
        var stream = new List<byte>();
        for (var i = 0; i < events.Length; i++)
        {
            if (random.Next(12) == 0)
                continue;
            var @event = events[random.Next(8) == 0 ? random.Next(events.Length) : i];
            var at = @event.IndexOf("data: ", StringComparison.Ordinal) + 6;
            var data = @event[at..];
            if (random.Next(8) == 0 && data.StartsWith('{'))
                data = Replaced(data, random, value.ReplaceLineEndings(" "));
            var bytes = Encoding.UTF8.GetBytes(@event[..at] + data + "\n\n");
            if (random.Next(20) == 0)
                bytes[random.Next(at, bytes.Length - 2)] = (byte)random.Next(256);
            stream.AddRange(bytes);
        }
        return [.. stream];
    }

    private static Gen<byte[]> Mutated(string json) =>
        from seed in Gen.Choose(0, int.MaxValue)
        from value in Generators.JsonValue(1)
        select Mutation(json, new Random(seed), value);

    private static byte[] Mutation(string json, Random random, string value)
    {
        for (var times = random.Next(1, 4); times > 0; times--)
            json = Replaced(json, random, value);
        var bytes = Encoding.UTF8.GetBytes(json);
        if (random.Next(4) == 0 && bytes.Length > 0)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }

    /// <summary>The JSON with one of its values, wherever it is, replaced or left out.</summary>
    private static string Replaced(string json, Random random, string value)
    {
        try
        {
            var root = JsonNode.Parse(json);
            var places = new List<JsonNode>();
            Collect(root, places);
            if (places.Count < 2)
                return json;
            var place = places[random.Next(1, places.Count)];
            switch (place.Parent)
            {
                case JsonObject parent when random.Next(5) == 0:
                    parent.Remove(place.GetPropertyName());
                    break;
                case JsonObject parent:
                    parent[place.GetPropertyName()] = JsonNode.Parse(value);
                    break;
                case JsonArray parent:
                    parent[place.GetElementIndex()] = JsonNode.Parse(value);
                    break;
                default:
                    break;
            }
            return root!.ToJsonString();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or JsonException)
        {
            // Names that come twice, and texts that are half a surrogate pair: the node model cannot hold them.
            return json;
        }
    }

    private static void Collect(JsonNode? node, List<JsonNode> places)
    {
        if (node is null)
            return;
        places.Add(node);
        if (node is JsonObject members)
        {
            foreach (var member in members)
                Collect(member.Value, places);
        }
        else if (node is JsonArray elements)
        {
            foreach (var element in elements)
                Collect(element, places);
        }
    }
}
