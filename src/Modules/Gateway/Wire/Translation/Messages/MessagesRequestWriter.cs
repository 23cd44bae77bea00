using System.Security.Cryptography;
using System.Text;

namespace Verbatim.Modules.Gateway.Wire.Translation.Messages;

/// <summary>Writes the body of Anthropic's <c>POST /v1/messages</c> (Claude API reference, "Create a Message").</summary>
internal static class MessagesRequestWriter
{
    private const string NotKnown = "is not known to Anthropic's messages";

    // "Thinking": budget_tokens is at least 1,024 and less than max_tokens.
    private const long LeastBudget = 1024;

    public static void Write(ModelRequest request, RequestWriting writing)
    {
        var json = writing.Json;
        json.WriteStartObject();
        json.WriteString("model"u8, writing.Target.Model);
        var maxTokens = request.MaxTokens?.Value ?? writing.Target.DefaultMaxTokens;
        json.WriteNumber("max_tokens"u8, maxTokens);
        MessagesTurnsWriter.Write(request, writing);
        if (request.Stream)
            json.WriteBoolean("stream"u8, value: true);
        WriteSampling(request, writing);
        WriteStop(request, writing);
        WriteTools(request, writing);
        WriteToolChoice(request, writing);
        WriteThinking(request, writing, maxTokens);
        WriteRest(request, writing);
        json.WriteEndObject();
        ReportUnknown(request, writing);
    }

    private static void ReportUnknown(ModelRequest request, RequestWriting writing)
    {
        writing.CannotDo(request.Seed, NotKnown);
        writing.CannotDo(request.FrequencyPenalty, NotKnown);
        writing.CannotDo(request.PresencePenalty, NotKnown);
        writing.CannotDo(request.Choices, "asks for several answers, and Anthropic's messages give one");
        writing.CannotDo(request.Logprobs, NotKnown);
        writing.CannotDo(request.LogitBias, NotKnown);
        writing.CannotDo(request.Store, NotKnown);
        writing.CannotDo(request.Metadata, NotKnown);
        if (request.Verbosity is { } verbosity && !verbosity.Value.Escaped.SequenceEqual("medium"u8))
            writing.CannotDo(verbosity.Parameter, NotKnown);
    }

    private static void WriteSampling(ModelRequest request, RequestWriting writing)
    {
        if (ClaudeVersion.Of(writing.Target.Model).RefusesSampling)
        {
            const string Refused = "is not taken by this Claude model";
            // 1 is the default of both wires.
            if (request.Temperature is { Value.Value: not 1 } set)
                writing.CannotDo(set.Parameter, Refused);
            if (request.TopP is { Value.Value: not 1 } topP)
                writing.CannotDo(topP.Parameter, Refused);
            writing.CannotDo(request.TopK, Refused);
            return;
        }
        // "Create a Message": temperature ranges from 0.0 to 1.0; OpenAI's to 2.
        if (request.Temperature is { Value.Value: not (>= 0 and <= 1) } hot)
            writing.CannotDo(hot.Parameter, "is above 1, the highest that Anthropic's messages take");
        else
            writing.Number("temperature"u8, request.Temperature);
        writing.Number("top_p"u8, request.TopP);
        writing.Number("top_k"u8, request.TopK);
    }

    private static void WriteStop(ModelRequest request, RequestWriting writing)
    {
        if (request.Stop is not { } stop)
            return;
        var sequences = stop.Value.FindAll(s => !s.IsBlank);
        if (sequences.Count < stop.Value.Count)
            writing.CannotDo(stop.Parameter, "has a sequence of white space alone, which Anthropic's messages refuse");
        if (sequences.Count == 0)
            return;
        writing.Json.WriteStartArray("stop_sequences"u8);
        foreach (var sequence in sequences)
            writing.Value(sequence);
        writing.Json.WriteEndArray();
    }

    private static void WriteTools(ModelRequest request, RequestWriting writing)
    {
        if (request.Tools.Count == 0)
            return;
        writing.Json.WriteStartArray("tools"u8);
        foreach (var tool in request.Tools)
        {
            if (!ToolNames.IsSound(tool.Name, most: 128))
            {
                writing.CannotDo(
                    tool.NamePath,
                    "is no name for Anthropic's messages, which take 1 to 128 letters, digits, '_' and '-'"
                );
                continue;
            }
            writing.Json.WriteStartObject();
            writing.Text("name"u8, tool.Name);
            writing.Text("description"u8, tool.Description);
            WriteSchema(tool.Schema, writing);
            if (tool.Strict == true)
                writing.Json.WriteBoolean("strict"u8, value: true);
            writing.Raw("cache_control"u8, tool.CacheControl.Span);
            writing.Json.WriteEndObject();
        }
        writing.Json.WriteEndArray();
    }

    // input_schema must be of type object; OpenAI takes a function without parameters, and parameters without a type.
    private static void WriteSchema(ReadOnlyMemory<byte> schema, RequestWriting writing)
    {
        if (schema.IsEmpty)
            writing.Raw("input_schema"u8, """{"type":"object","properties":{}}"""u8);
        else if (JsonObjects.Has(schema.Span, "type"u8) || schema.Span[0] != '{')
            writing.Raw("input_schema"u8, schema.Span);
        else
            writing.Raw("input_schema"u8, JsonObjects.With("\"type\":\"object\""u8, schema.Span));
    }

    private static void WriteToolChoice(ModelRequest request, RequestWriting writing)
    {
        var isSerial = request.ParallelToolCalls is { Value: false };
        var choice = request.ToolChoice?.Value;
        if (choice?.Kind == ToolChoiceKind.Allowed)
        {
            writing.CannotDo(
                request.ToolChoice!.Value.Parameter,
                "names several tools of which one is allowed, which " + NotKnown[3..]
            );
            choice = null;
        }
        // Without tools a choice is refused, and all there is to choose is none.
        if (request.Tools.Count == 0 || (choice is null && !isSerial))
            return;
        var json = writing.Json;
        json.WriteStartObject("tool_choice"u8);
        json.WriteString(
            "type"u8,
            choice?.Kind switch
            {
                ToolChoiceKind.None => "none"u8,
                ToolChoiceKind.Required => "any"u8,
                ToolChoiceKind.Named => "tool"u8,
                _ => "auto"u8,
            }
        );
        if (choice?.Kind == ToolChoiceKind.Named)
            writing.Text("name"u8, choice.Names[0]);
        if (isSerial && choice?.Kind != ToolChoiceKind.None)
            json.WriteBoolean("disable_parallel_tool_use"u8, value: true);
        json.WriteEndObject();
    }

    private static void WriteThinking(ModelRequest request, RequestWriting writing, long maxTokens)
    {
        var effort = default(string);
        if (request.Reasoning is { } given)
        {
            var (word, budget, _, _) = given.Value;
            if (word is not (null or "none" or "minimal" or "low" or "medium" or "high" or "xhigh" or "max"))
                writing.CannotDo(given.Parameter, "is an effort that " + NotKnown[3..]);
            else if (ClaudeVersion.Of(writing.Target.Model).ThinksAdaptively)
                effort = WriteAdaptive(word, writing);
            else if (word is not (null or "none") || budget is not null)
                WriteBudget(given, writing, maxTokens);
        }
        var format = Schema(request, writing);
        if (effort is null && format.IsEmpty)
            return;
        writing.Json.WriteStartObject("output_config"u8);
        if (effort is not null)
            writing.Json.WriteString("effort"u8, effort);
        if (!format.IsEmpty)
        {
            writing.Json.WriteStartObject("format"u8);
            writing.Json.WriteString("type"u8, "json_schema"u8);
            writing.Raw("schema"u8, format.Span);
            writing.Json.WriteEndObject();
        }
        writing.Json.WriteEndObject();
    }

    private static string? WriteAdaptive(string? word, RequestWriting writing)
    {
        writing.Raw("thinking"u8, word == "none" ? """{"type":"disabled"}"""u8 : """{"type":"adaptive"}"""u8);
        // 'minimal' is OpenAI's alone; 'low' is the next to it.
        return word is "none" or null ? null
            : word is "minimal" ? "low"
            : word;
    }

    private static void WriteBudget(Given<Reasoning> given, RequestWriting writing, long maxTokens)
    {
        if (maxTokens <= LeastBudget)
        {
            writing.CannotDo(
                given.Parameter,
                "leaves nothing for an answer: this Claude model thinks with 1024 tokens or more, and the limit is not above that"
            );
            return;
        }
        // What OpenRouter makes of an effort: a share of the limit ("Reasoning tokens").
        var share = given.Value.Effort switch
        {
            "minimal" => 0.1,
            "low" => 0.2,
            "high" => 0.8,
            "xhigh" or "max" => 0.95,
            _ => 0.5,
        };
        var budget = given.Value.Budget ?? (long)(Math.Min(maxTokens, 128_000) * share);
        writing.Json.WriteStartObject("thinking"u8);
        writing.Json.WriteString("type"u8, "enabled"u8);
        writing.Json.WriteNumber("budget_tokens"u8, Math.Clamp(budget, LeastBudget, maxTokens - 1));
        writing.Json.WriteEndObject();
    }

    private static ReadOnlyMemory<byte> Schema(ModelRequest request, RequestWriting writing)
    {
        if (request.Format is not { } format)
            return default;
        if (format.Value.Schema.IsEmpty)
            writing.CannotDo(
                format.Parameter,
                "asks for any JSON object, and Anthropic's messages make JSON by a schema only"
            );
        return format.Value.Schema;
    }

    private static void WriteRest(ModelRequest request, RequestWriting writing)
    {
        if (request.User is { } user)
        {
            writing.Json.WriteStartObject("metadata"u8);
            writing.Text("user_id"u8, Within(user.Value, 256));
            writing.Json.WriteEndObject();
        }
        switch (request.ServiceTier)
        {
            case { Value: ServiceTier.Auto }:
                writing.Json.WriteString("service_tier"u8, "auto"u8);
                break;
            case { Value: ServiceTier.Standard }:
                writing.Json.WriteString("service_tier"u8, "standard_only"u8);
                break;
            case { } tier:
                writing.CannotDo(tier.Parameter, "names a tier that " + NotKnown[3..]);
                break;
            default:
                break;
        }
        // A key says that prompts with the same beginning will come again, which OpenAI caches by itself and Anthropic when it is asked.
        if (!request.CacheControl.IsEmpty)
            writing.Raw("cache_control"u8, request.CacheControl.Span);
        else if (request.PromptCacheKey is not null)
            writing.Raw("cache_control"u8, """{"type":"ephemeral"}"""u8);
    }

    /// <summary>A user's name, or its hash where it is longer than the wire takes: OpenAI's reference advises hashes too.</summary>
    public static JsonText Within(JsonText user, int most)
    {
        var text = user.ToString();
        return text.Length <= most
            ? user
            : JsonText.Of(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }
}
