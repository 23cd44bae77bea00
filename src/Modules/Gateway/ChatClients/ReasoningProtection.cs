using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>
/// What must go back to a provider with a piece of reasoning, as one opaque text: all of the wire's element (<c>reasoning_details</c>) but what was
/// thought, and the model that thought it. For another model it is of no use, and some refuse it.
/// </summary>
internal static class ReasoningProtection
{
    /// <summary>The text for an element; null when it holds nothing that must go back.</summary>
    public static string? Write(string model, JsonElement detail)
    {
        if (
            detail.ValueKind != JsonValueKind.Object
            || !(detail.TryGetProperty("signature", out _) || detail.TryGetProperty("data", out _))
        )
            return null;
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("model"u8, model);
            json.WriteStartObject("detail"u8);
            foreach (var member in detail.EnumerateObject())
            {
                if (member.Name is not ("text" or "summary"))
                    member.WriteTo(json);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Writes the element again, with what was thought; nothing for another model or a text that is not from here.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="protectedData">The text.</param>
    /// <param name="thought">What was thought.</param>
    /// <param name="model">The model that is asked now.</param>
    public static bool TryWriteDetail(Utf8JsonWriter json, string protectedData, string thought, string model)
    {
        try
        {
            using var document = JsonDocument.Parse(protectedData);
            var root = document.RootElement;
            if (
                root.ValueKind != JsonValueKind.Object
                || !root.TryGetProperty("model", out var by)
                || by.ValueKind != JsonValueKind.String
                || !by.ValueEquals(model)
                || !root.TryGetProperty("detail", out var detail)
                || detail.ValueKind != JsonValueKind.Object
            )
                return false;
            var type = detail.TryGetProperty("type", out var given) ? given.GetString() : null;
            if (type == "reasoning.encrypted" && thought.Length > 0)
                WriteSummary(json, detail, thought);
            json.WriteStartObject();
            foreach (var member in detail.EnumerateObject())
                member.WriteTo(json);
            if (type == "reasoning.text")
                json.WriteString("text"u8, thought);
            json.WriteEndObject();
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    // The encrypted content of an item comes behind the item's summary, as an element of its own.
    private static void WriteSummary(Utf8JsonWriter json, JsonElement detail, string thought)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "reasoning.summary"u8);
        json.WriteString("summary"u8, thought);
        foreach (var member in detail.EnumerateObject())
        {
            if (member.Name is "id" or "format" or "index")
                member.WriteTo(json);
        }
        json.WriteEndObject();
    }
}
