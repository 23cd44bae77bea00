using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Verbatim.Modules.Gateway.Wire;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Tests.Unit.Gateway.Wire.Translation;

/// <summary>Opens translated calls and says what goes through them.</summary>
internal static class Translated
{
    public static readonly Guid Id = new("0193a5b0-0000-7000-8000-00000000beef");

    public static readonly AnswerIdentity Identity = new(Id, DateTimeOffset.FromUnixTimeSeconds(1_790_000_000));

    public static TranslatedCall Open(
        Operation caller,
        Operation target,
        string body,
        string model = "claude-sonnet-4-5",
        int maxTokens = 4096
    )
    {
        var isOpen = TranslatedCall.TryOpen(
            caller,
            Encoding.UTF8.GetBytes(body),
            new TranslationTarget(target, model, maxTokens),
            Identity,
            out var call,
            out var error
        );
        Assert.True(isOpen, error?.Message);
        return call!;
    }

    public static WireError Refusal(Operation caller, Operation target, string body)
    {
        var isOpen = TranslatedCall.TryOpen(
            caller,
            Encoding.UTF8.GetBytes(body),
            new TranslationTarget(target, "m", 4096),
            Identity,
            out _,
            out var error
        );
        Assert.False(isOpen);
        return error!;
    }

    public static string BodyOf(TranslatedCall call) => Encoding.UTF8.GetString(call.Body.Span);

    /// <summary>The names of what the target cannot do.</summary>
    public static string UnsupportedOf(TranslatedCall call) =>
        string.Join(' ', call.Unsupported.Select(u => u.Parameter));

    public static string Answer(TranslatedCall call, string body)
    {
        Assert.True(call.TryTranslateAnswer(Encoding.UTF8.GetBytes(body), out var answer, out _));
        return Encoding.UTF8.GetString(answer);
    }

    public static TokenUsage? UsageOf(TranslatedCall call, string body)
    {
        Assert.True(call.TryTranslateAnswer(Encoding.UTF8.GetBytes(body), out _, out var usage));
        return usage;
    }

    /// <summary>Sends a provider's stream through, in pieces of these lengths.</summary>
    public static Relayed Stream(AnswerStream stream, string events, params int[] cuts)
    {
        using (stream)
        {
            var output = new StringBuilder();
            using var reader = new SseReader();
            foreach (var chunk in Generators.Chunks(Encoding.UTF8.GetBytes(events), cuts.Length > 0 ? cuts : [1000]))
            {
                reader.Feed(chunk);
                while (reader.TryRead(out var sse))
                    output.Append(Encoding.UTF8.GetString(stream.Relay(sse).Span));
            }
            if (reader.TryReadRemainder(out var rest))
                output.Append(Encoding.UTF8.GetString(stream.Relay(rest).Span));
            output.Append(Encoding.UTF8.GetString(stream.End().Span));
            return new Relayed(
                output.ToString(),
                Encoding.UTF8.GetString(stream.ToArray()),
                stream.Usage,
                stream.IsComplete,
                stream.IsDone,
                stream.HasError,
                stream.Chunks
            );
        }
    }

    /// <summary>Compares JSON without regard to white space and the order of members.</summary>
    public static void Same(string expected, string actual)
    {
        var options = new JsonSerializerOptions { WriteIndented = true };
        if (JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual)))
            return;
        Assert.Equal(JsonNode.Parse(expected)!.ToJsonString(options), JsonNode.Parse(actual)!.ToJsonString(options));
        Assert.Fail("The JSON differs.");
    }

    /// <summary>The member of an object, as JSON; "absent" without it.</summary>
    public static string Member(string json, string path)
    {
        var node = JsonNode.Parse(json);
        foreach (var name in path.Split('.'))
            node = int.TryParse(name, System.Globalization.CultureInfo.InvariantCulture, out var index)
                ? node?.AsArray().ElementAtOrDefault(index)
                : node?[name];
        return node?.ToJsonString(
                new JsonSerializerOptions
                {
                    Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
                }
            ) ?? "absent";
    }

    /// <summary>The events of a stream whose data are JSON, as JSON.</summary>
    public static JsonNode[] DataOf(string events) =>
        [
            .. events
                .Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
                .Select(e => e[(e.IndexOf("data: ", StringComparison.Ordinal) + 6)..])
                .Where(d => d != "[DONE]")
                .Select(d => JsonNode.Parse(d)!),
        ];
}

/// <summary>What became of a stream.</summary>
internal sealed record Relayed(
    string Events,
    string Whole,
    TokenUsage? Usage,
    bool IsComplete,
    bool IsDone,
    bool HasError,
    int Chunks
);
