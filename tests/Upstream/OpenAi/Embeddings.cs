using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>
/// The answer of <c>POST /v1/embeddings</c>. The same input has the same vector, of length 1, in every encoding; fewer
/// dimensions are the beginning of more, made longer, as with OpenAI's models of the third generation.
/// </summary>
internal static class Embeddings
{
    private const int UsualDimensions = 1536;
    private const int MostDimensions = 3072;
    private const int MostInputs = 2048;

    public static readonly FrozenSet<string> Meaningless = Without("usage", "model");

    /// <summary>All commands of what a model says but these.</summary>
    public static FrozenSet<string> Without(params ReadOnlySpan<string> meant)
    {
        var names = new HashSet<string>(CommandTable.OfModels, StringComparer.Ordinal);
        foreach (var name in meant)
            names.Remove(name);
        return names.ToFrozenSet(StringComparer.Ordinal);
    }

    /// <exception cref="InvalidRequestException">The request is wrong.</exception>
    public static void Check(OpenAiCheck request)
    {
        request.Optional("model")?.Text();
        request.Only("input", "model", "encoding_format", "dimensions", "user", "x_upstream");
        request.Optional("encoding_format")?.OneOf("float", "base64");
        if (request.Optional("dimensions") is { } dimensions && dimensions.Integer(least: 1) > MostDimensions)
            throw dimensions.Wrong(
                $"Invalid value for 'dimensions' = {dimensions.Json}. Must be less than or equal to {MostDimensions}."
            );
        var input = request.Required("input");
        if (input.IsText)
        {
            if (input.Text().Length is 0)
                throw input.Wrong("Invalid 'input': input cannot be an empty string.");
            return;
        }

        var count = input.Items().Count();
        if (count is 0)
            throw input.Wrong("Invalid 'input': input cannot be an empty array.");
        if (count > MostInputs)
        {
            throw input.Wrong(
                $"Invalid 'input': array too long. Expected an array with maximum length {MostInputs}, but got an array with length {count} instead.",
                "array_above_max_length"
            );
        }

        foreach (var item in input.Items())
        {
            if (item is { IsText: false, IsArray: false, Kind: not JsonValueKind.Number })
                item.Text();
            if (item.IsText && item.Text().Length is 0)
                throw item.Wrong("Invalid 'input': input cannot be an empty string.");
        }
    }

    public static Answer Of(JsonElement request, string model, CommandSet commands)
    {
        var dimensions =
            request.TryGetProperty("dimensions", out var given) && given.ValueKind is JsonValueKind.Number
                ? given.GetInt32()
                : UsualDimensions;
        var isBase64 =
            request.TryGetProperty("encoding_format", out var format)
            && format.ValueKind is JsonValueKind.String
            && format.ValueEquals("base64");
        var inputs = InputsOf(request.GetProperty("input"));
        var body = JsonBody.Indented(writer =>
        {
            writer.WriteString("object"u8, "list"u8);
            writer.WriteStartArray("data"u8);
            for (var index = 0; index < inputs.Count; index++)
                Write(writer, index, Vector(inputs[index], dimensions), isBase64);
            writer.WriteEndArray();
            writer.WriteString("model"u8, commands.Model ?? model);
            WriteUsage(writer, commands, inputs.Count);
        });
        return Answer.Of(commands.Status ?? 200, commands.ContentType ?? "application/json", body);
    }

    /// <summary>The vector of a text or of tokens.</summary>
    private static float[] Vector(JsonElement input, int dimensions)
    {
        var seed = BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(input.GetRawText())));
        var vector = new float[dimensions];
        var square = 0.0;
        for (var at = 0; at < dimensions; at++)
        {
            // SplitMix64 (Steele, Lea and Flood, 2014), by which every place depends on the whole seed.
            seed += 0x9E3779B97F4A7C15;
            var mixed = seed;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            mixed ^= mixed >> 31;
            var value = ((mixed >> 11) / (double)(1UL << 53)) - 0.5;
            vector[at] = (float)value;
            square += value * value;
        }

        var length = Math.Sqrt(square);
        for (var at = 0; at < dimensions; at++)
            vector[at] = (float)(vector[at] / length);
        return vector;
    }

    private static List<JsonElement> InputsOf(JsonElement input)
    {
        // Numbers are the tokens of one input.
        var isOne =
            input.ValueKind is JsonValueKind.String || input.EnumerateArray().First().ValueKind is JsonValueKind.Number;
        return isOne ? [input] : [.. input.EnumerateArray()];
    }

    private static void Write(Utf8JsonWriter writer, int index, float[] vector, bool isBase64)
    {
        writer.WriteStartObject();
        writer.WriteString("object"u8, "embedding"u8);
        writer.WriteNumber("index"u8, index);
        if (isBase64)
        {
            var bytes = new byte[vector.Length * sizeof(float)];
            for (var at = 0; at < vector.Length; at++)
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(at * sizeof(float)), vector[at]);
            writer.WriteBase64String("embedding"u8, bytes);
        }
        else
        {
            writer.WriteStartArray("embedding"u8);
            foreach (var value in vector)
                writer.WriteNumberValue(value);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void WriteUsage(Utf8JsonWriter writer, CommandSet commands, int inputs)
    {
        switch (commands.Usage)
        {
            case UsageKind.None:
                return;
            case UsageKind.Null:
                writer.WriteNull("usage"u8);
                return;
            case UsageKind.Given:
                writer.WriteRaw("usage"u8, commands.UsageJson!);
                return;
            default:
                var (prompt, total) = commands.Usage switch
                {
                    UsageKind.Zero => (0, 0),
                    UsageKind.Wrong => (1_000_000, -5),
                    _ => (Usage.PromptTokens * inputs, Usage.PromptTokens * inputs),
                };
                writer.WriteStartObject("usage"u8);
                writer.WriteNumber("prompt_tokens"u8, prompt);
                writer.WriteNumber("total_tokens"u8, total);
                writer.WriteEndObject();
                return;
        }
    }
}
