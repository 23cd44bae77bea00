using System.Globalization;
using System.Text.Json;

namespace Verbatim.Tests.Upstream.Responses;

/// <summary>The answer of <c>GET /v1/responses/{id}/input_items</c>: what was asked, as items with ids, newest first.</summary>
internal static class InputItems
{
    private const int IdLength = 46;
    private const int UsualSize = 20;

    /// <exception cref="InvalidRequestException">A parameter is wrong.</exception>
    public static Answer List(in WireRequest request, StoredResponse stored)
    {
        var size = SizeOf(request.Parameter("limit"));
        var items = ItemsOf(stored).Select((item, index) => (Id: IdOf(item, index, stored.Stamp), Item: item)).ToList();
        if (request.Parameter("order") is not "asc")
            items.Reverse();
        if (request.Parameter("after") is { } after)
        {
            var at = items.FindIndex(item => string.Equals(item.Id, after, StringComparison.Ordinal));
            if (at < 0)
                throw new InvalidRequestException($"No item found with id '{after}'.") { Field = "after" };
            items.RemoveRange(0, at + 1);
        }

        var page = items.Take(size).ToList();
        return Answer.Of(
            200,
            "application/json",
            JsonBody.Indented(writer =>
            {
                writer.WriteString("object"u8, "list"u8);
                writer.WriteStartArray("data"u8);
                foreach (var (id, item) in page)
                    Write(writer, id, item);
                writer.WriteEndArray();
                writer.WriteString("first_id"u8, page.FirstOrDefault().Id);
                writer.WriteString("last_id"u8, page.LastOrDefault().Id);
                writer.WriteBoolean("has_more"u8, items.Count > page.Count);
            })
        );
    }

    private static int SizeOf(string? limit)
    {
        if (limit is null)
            return UsualSize;
        return
            int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            && size is >= 1 and <= 100
            ? size
            : throw new InvalidRequestException($"Invalid 'limit': expected an integer from 1 to 100, but got {limit}.")
            {
                Field = "limit",
            };
    }

    private static IEnumerable<JsonElement> ItemsOf(StoredResponse stored)
    {
        var input = stored.Response.Request.Value("input");
        return input switch
        {
            { ValueKind: JsonValueKind.Array } items => items.EnumerateArray(),
            { } text => [JsonSerializer.SerializeToElement(new { role = "user", content = text })],
            null => [],
        };
    }

    private static string IdOf(JsonElement item, int index, Stamp stamp)
    {
        if (item.TryGetProperty("id", out var given) && given.ValueKind is JsonValueKind.String)
            return given.GetString()!;
        var prefix = TypeOf(item) switch
        {
            "message" => "msg_",
            "function_call" => "fc_",
            "function_call_output" => "fco_",
            "reasoning" => "rs_",
            _ => "item_",
        };
        // Apart from the items of output, which begin at 0.
        return string.Create(CultureInfo.InvariantCulture, $"{prefix}{stamp.Id(IdLength)}{50 + index:D2}");
    }

    private static string TypeOf(JsonElement item) =>
        item.TryGetProperty("type", out var type) ? type.GetString() ?? "message" : "message";

    private static void Write(Utf8JsonWriter writer, string id, JsonElement item)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, id);
        writer.WriteString("type"u8, TypeOf(item));
        writer.WriteString("status"u8, "completed"u8);
        foreach (var property in item.EnumerateObject())
        {
            if (property.Name is "id" or "type" or "status")
                continue;
            writer.WritePropertyName(property.Name);
            if (property is { Name: "content", Value.ValueKind: JsonValueKind.String })
                WriteText(writer, item, property.Value);
            else
                property.Value.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter writer, JsonElement item, JsonElement text)
    {
        var isOwn = item.TryGetProperty("role", out var role) && role.ValueEquals("assistant");
        writer.WriteStartArray();
        writer.WriteStartObject();
        writer.WriteString("type"u8, isOwn ? "output_text" : "input_text");
        writer.WritePropertyName("text"u8);
        text.WriteTo(writer);
        writer.WriteEndObject();
        writer.WriteEndArray();
    }
}
