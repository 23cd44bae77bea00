using System.Text.Json;
using System.Text.Unicode;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>Looks at JSON that is passed on as it is.</summary>
internal static class JsonObjects
{
    /// <summary>Whether these are one JSON object in UTF-8, with nothing behind it. Never throws.</summary>
    public static bool IsObject(ReadOnlySpan<byte> json) => Utf8.IsValid(json) && IsWellFormed(json);

    /// <summary>Whether these are one JSON object, with nothing behind it; what is in its strings is not looked into. Never throws.</summary>
    public static bool IsWellFormed(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            reader.Skip();
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Whether an object, which is well-formed, has a member.</summary>
    public static bool Has(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonNames.Is(ref reader, name))
                return true;
            reader.Skip();
        }
        return false;
    }

    /// <summary>An object, which is well-formed, with one member more at its beginning.</summary>
    public static byte[] With(ReadOnlySpan<byte> member, ReadOnlySpan<byte> json)
    {
        var rest = json[1..].TrimStart(" \t\r\n"u8);
        return [(byte)'{', .. member, .. rest[0] == '}' ? [] : ","u8, .. rest];
    }

    /// <summary>
    /// A tool's arguments as the object that they are the text of. A model may have written something else: it is kept, as a text in an object.
    /// </summary>
    public static byte[] OfArguments(JsonText arguments)
    {
        if (arguments.IsBlank)
            return [.. "{}"u8];
        var text = arguments.ToString();
        var json = System.Text.Encoding.UTF8.GetBytes(text);
        if (IsObject(json))
            return json;
        var kept = Utf8.IsValid(arguments.Token.Span) ? arguments : JsonText.Of(text);
        return [.. "{\"arguments\":"u8, .. kept.Token.Span, (byte)'}'];
    }
}
