using System.Runtime.InteropServices;
using System.Text.Json;
using Verbatim.Modules.Gateway.Wire.Translation;

namespace Verbatim.Modules.Gateway.ChatClients;

/// <summary>Texts in what a provider answers.</summary>
internal static class ElementText
{
    /// <summary>The text under a name; null where there is none.</summary>
    public static string? Of(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object
        && parent.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String
            ? Of(value)
            : null;

    /// <summary>The text that a string is. A provider may cut it within a surrogate pair: what is left of that is U+FFFD.</summary>
    public static string Of(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return JsonText.Unescape(JsonMarshal.GetRawUtf8Value(text)[1..^1]);
        }
    }
}
