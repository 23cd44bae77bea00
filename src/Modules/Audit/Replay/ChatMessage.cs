using System.Runtime.InteropServices;
using System.Text.Json;
using Verbatim.Modules.Audit.Changes;

namespace Verbatim.Modules.Audit.Replay;

/// <summary>
/// A message of a dialogue with a model, found by its shape: a <c>role</c>, and <c>content</c> or <c>tool_calls</c>. So it is in OpenAI's Chat
/// Completions and in Anthropic's Messages, in requests and in answers.
/// </summary>
internal static class ChatMessage
{
    // With a name twice it is shown as the JSON that it is: which of the two a provider reads is not known.
    public static bool Is(JsonElement value) =>
        JsonLook.TextOf(value, "role"u8) is not null
        && !JsonLook.RepeatsName(value)
        && (
            JsonLook.TryGet(value, "content"u8, out var content)
                ? content.ValueKind is JsonValueKind.String or JsonValueKind.Array or JsonValueKind.Null
                : JsonLook.TryGet(value, "tool_calls"u8, out _)
        );

    /// <summary>Who speaks.</summary>
    public static string RoleOf(JsonElement message) => Printable.Line(JsonLook.TextOf(message, "role"u8)!);

    /// <summary>What is said and called, in order.</summary>
    public static IEnumerable<string> SaidIn(JsonElement message)
    {
        if (JsonLook.TryGet(message, "content"u8, out var content))
        {
            if (content.ValueKind == JsonValueKind.String)
                yield return JsonLook.TextOf(content);
            if (content.ValueKind == JsonValueKind.Array)
            {
                foreach (var said in content.EnumerateArray().Select(PartText).OfType<string>())
                    yield return said;
            }
        }
        if (JsonLook.TryGet(message, "tool_calls"u8, out var calls) && calls.ValueKind == JsonValueKind.Array)
        {
            foreach (var call in calls.EnumerateArray().Select(CallText).OfType<string>())
                yield return call;
        }
    }

    /// <summary>What else the message has: nothing that was recorded is left out, but for what says nothing.</summary>
    public static IEnumerable<JsonProperty> RestOf(JsonElement message) =>
        message.EnumerateObject().Where(p => !IsSaid(p) && !IsEmpty(p.Value));

    private static bool IsSaid(JsonProperty property)
    {
        var name = JsonMarshal.GetRawUtf8PropertyName(property);
        if (name.SequenceEqual("role"u8))
            return true;
        if (name.SequenceEqual("content"u8))
            return property.Value.ValueKind != JsonValueKind.Array
                || property.Value.EnumerateArray().All(part => PartText(part) is not null);
        return name.SequenceEqual("tool_calls"u8)
            && property.Value.ValueKind == JsonValueKind.Array
            && property.Value.EnumerateArray().All(call => CallText(call) is not null);
    }

    private static bool IsEmpty(JsonElement value) =>
        value.ValueKind == JsonValueKind.Null
        || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0);

    // A text, or Anthropic's tool_use; null for a part that is shown as the JSON that it is: an image, a tool's result.
    private static string? PartText(JsonElement part) =>
        JsonLook.TextOf(part, "type"u8) switch
        {
            "text" or "input_text" or "output_text" when HasOnly(part, "type"u8, "text"u8, "annotations"u8) =>
                JsonLook.TextOf(part, "text"u8),
            "tool_use" when HasOnly(part, "type"u8, "id"u8, "name"u8, "input"u8) => CallText(
                JsonLook.TextOf(part, "name"u8),
                JsonLook.TryGet(part, "input"u8, out var input) ? input.GetRawText() : null,
                JsonLook.TextOf(part, "id"u8)
            ),
            _ => null,
        };

    private static string? CallText(JsonElement call) =>
        JsonLook.TryGet(call, "function"u8, out var function)
        && HasOnly(call, "id"u8, "type"u8, "function"u8, "index"u8)
        && HasOnly(function, "name"u8, "arguments"u8)
            ? CallText(
                JsonLook.TextOf(function, "name"u8),
                JsonLook.TextOf(function, "arguments"u8),
                JsonLook.TextOf(call, "id"u8)
            )
            : null;

    private static string? CallText(string? name, string? arguments, string? id) =>
        name is null ? null : $"→ {name}({arguments}){(id is null ? "" : $"  {id}")}";

    private static bool HasOnly(
        JsonElement value,
        ReadOnlySpan<byte> a,
        ReadOnlySpan<byte> b,
        ReadOnlySpan<byte> c = default,
        ReadOnlySpan<byte> d = default
    )
    {
        if (value.ValueKind != JsonValueKind.Object || JsonLook.RepeatsName(value))
            return false;
        foreach (var property in value.EnumerateObject())
        {
            var name = JsonMarshal.GetRawUtf8PropertyName(property);
            if (
                !name.SequenceEqual(a)
                && !name.SequenceEqual(b)
                && !name.SequenceEqual(c)
                && !name.SequenceEqual(d)
                && !IsEmpty(property.Value)
            )
                return false;
        }
        return true;
    }
}
