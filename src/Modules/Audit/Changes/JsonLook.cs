using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Verbatim.Modules.Audit.Changes;

/// <summary>
/// Looks into recorded JSON without trusting it: bodies are stored as they came, so a string may hold half a surrogate pair or bytes that are
/// not UTF-8, at which the framework's own accessors throw.
/// </summary>
internal static class JsonLook
{
    // What a client sends may be nested deeper than the framework's default.
    public static readonly JsonDocumentOptions Options = new() { MaxDepth = 1000 };

    /// <returns>Null for what is not JSON.</returns>
    public static JsonDocument? TryParse(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json, Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The text of a string.</summary>
    public static string TextOf(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // As it stands, escapes and all.
            return Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(text)[1..^1]);
        }
    }

    /// <summary>The bytes that a value takes as it stands.</summary>
    public static int LengthOf(JsonElement value) => JsonMarshal.GetRawUtf8Value(value).Length;

    /// <summary>The name of a property.</summary>
    public static string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8PropertyName(property));
        }
    }

    /// <summary>The string of this name, or null.</summary>
    public static string? TextOf(JsonElement parent, ReadOnlySpan<byte> name) =>
        TryGet(parent, name, out var value) && value.ValueKind == JsonValueKind.String ? TextOf(value) : null;

    /// <summary>Finds a property by a name of plain ASCII.</summary>
    public static bool TryGet(JsonElement parent, ReadOnlySpan<byte> name, out JsonElement value)
    {
        value = default;
        if (parent.ValueKind != JsonValueKind.Object)
            return false;
        foreach (var property in parent.EnumerateObject())
        {
            if (JsonMarshal.GetRawUtf8PropertyName(property).SequenceEqual(name))
            {
                value = property.Value;
                return true;
            }
        }
        return false;
    }

    /// <summary>Two properties of an object have the same name.</summary>
    public static bool RepeatsName(JsonElement value)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        return value.EnumerateObject().Any(p => !names.Add(NameOf(p)));
    }

    /// <summary>The same bytes.</summary>
    public static bool IsSame(JsonElement a, JsonElement b) =>
        JsonMarshal.GetRawUtf8Value(a).SequenceEqual(JsonMarshal.GetRawUtf8Value(b));

    /// <summary>The value on one line, however long.</summary>
    public static string Line(JsonElement value) =>
        Printable.Line(Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value)));

    /// <summary>The value on one line of no more than <paramref name="width"/> columns.</summary>
    public static string Compact(JsonElement value, int width)
    {
        var raw = JsonMarshal.GetRawUtf8Value(value);
        // A column takes four bytes at most, and a mark that something is missing needs one more column.
        var limit = (width + 1) * 4;
        var compact = new byte[Math.Min(limit, raw.Length)];
        var length = 0;
        var inString = false;
        var i = 0;
        for (; i < raw.Length && length < compact.Length; i++)
        {
            var b = raw[i];
            if (!inString && b is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
                continue;
            compact[length++] = b;
            if (inString && b == (byte)'\\' && i + 1 < raw.Length && length < compact.Length)
                compact[length++] = raw[++i];
            else if (b == (byte)'"')
                inString = !inString;
        }
        var rest = i < raw.Length ? "…" : "";
        return Printable.Cut(Printable.Line(Encoding.UTF8.GetString(compact, 0, length)) + rest, width);
    }
}
