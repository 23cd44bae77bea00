using System.Collections.Frozen;
using System.Text.Json;
using Verbatim.Tests.Upstream.Commands;

namespace Verbatim.Tests.Upstream.OpenAi;

/// <summary>The answer of <c>POST /v1/moderations</c>: nothing is wrong, unless the command <c>filtered</c> says so.</summary>
internal static class Moderations
{
    private const int IdLength = 32;

    public static readonly FrozenSet<string> Meaningless = Embeddings.Without("filtered", "id", "model");

    private static readonly (string Name, bool SeesImages)[] Categories =
    [
        ("harassment", false),
        ("harassment/threatening", false),
        ("sexual", true),
        ("hate", false),
        ("hate/threatening", false),
        ("illicit", false),
        ("illicit/violent", false),
        ("self-harm/intent", true),
        ("self-harm/instructions", true),
        ("self-harm", true),
        ("sexual/minors", false),
        ("violence", true),
        ("violence/graphic", true),
    ];

    /// <exception cref="InvalidRequestException">The request is wrong.</exception>
    public static void Check(OpenAiCheck request)
    {
        request.Only("input", "model", "x_upstream");
        request.Optional("model")?.Text();
        var input = request.Required("input");
        if (input.IsText)
            return;
        foreach (var item in input.Items())
        {
            if (item.IsText)
                continue;
            if (item.Required("type").OneOf("text", "image_url") is "text")
                item.Required("text").Text();
            else
                item.Required("image_url").Required("url").Text();
        }
    }

    public static Answer Of(JsonElement request, string model, CommandSet commands)
    {
        var input = request.GetProperty("input");
        // Parts are one input together; texts are one each.
        var count =
            input.ValueKind is JsonValueKind.Array
            && input.EnumerateArray().All(static item => item.ValueKind is JsonValueKind.String)
                ? input.GetArrayLength()
                : 1;
        var body = JsonBody.Indented(writer =>
        {
            writer.WriteString("id"u8, commands.Id ?? "modr-" + Placeholder.Id(IdLength));
            writer.WriteString("model"u8, commands.Model ?? model);
            writer.WriteStartArray("results"u8);
            for (var index = 0; index < count; index++)
                Write(writer, commands.Filtered, input);
            writer.WriteEndArray();
        });
        return Answer.Json(commands.Status ?? 200, commands.ContentType ?? "application/json", body);
    }

    private static void Write(Utf8JsonWriter writer, bool isFlagged, JsonElement input)
    {
        var hasImage = input.ValueKind is JsonValueKind.Array && input.EnumerateArray().Any(IsImage);
        writer.WriteStartObject();
        writer.WriteBoolean("flagged"u8, isFlagged);
        writer.WriteStartObject("categories"u8);
        foreach (var (name, _) in Categories)
            writer.WriteBoolean(name, IsHit(name));
        writer.WriteEndObject();
        writer.WriteStartObject("category_scores"u8);
        foreach (var (name, _) in Categories)
            writer.WriteNumber(name, IsHit(name) ? 0.93 : 0.00001);
        writer.WriteEndObject();
        writer.WriteStartObject("category_applied_input_types"u8);
        foreach (var (name, seesImages) in Categories)
        {
            writer.WriteStartArray(name);
            writer.WriteStringValue("text"u8);
            if (hasImage && seesImages)
                writer.WriteStringValue("image"u8);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();

        bool IsHit(string name) => isFlagged && name is "violence";
    }

    private static bool IsImage(JsonElement item) =>
        item.ValueKind is JsonValueKind.Object && item.GetProperty("type").ValueEquals("image_url");
}
