using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>Walks through an object that was found well-formed, without making strings.</summary>
internal static class JsonReading
{
    /// <summary>The next member's name, or false at the object's end. The reader stands on the name.</summary>
    public static bool NextMember(scoped ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>The next element, or false at the list's end. The reader stands on its first token.</summary>
    public static bool NextElement(scoped ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType != JsonTokenType.EndArray;

    /// <summary>Moves into the value of a member: true for an object, whose members are next; anything else is passed over.</summary>
    public static bool EnterObject(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        return IsObject(ref reader);
    }

    /// <summary>True where the reader stands on an object; anything else is passed over.</summary>
    public static bool IsObject(scoped ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
            return true;
        reader.Skip();
        return false;
    }

    /// <summary>Moves into the value of a member: true for a list, whose elements are next; anything else is passed over.</summary>
    public static bool EnterList(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartArray)
            return true;
        reader.Skip();
        return false;
    }

    /// <summary>The inside of the string that is a member's value, escaped; empty for anything else, which is passed over.</summary>
    public static ReadOnlySpan<byte> Text(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
            return reader.ValueSpan;
        reader.Skip();
        return default;
    }

    /// <summary>The whole number that is a member's value, or null.</summary>
    public static int? Number(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var number))
            return number;
        reader.Skip();
        return null;
    }

    /// <summary>The bytes of a member's value.</summary>
    public static ReadOnlySpan<byte> Raw(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> source)
    {
        reader.Read();
        return JsonSlice.OfValue(ref reader).Of(source);
    }

    /// <summary>What stands between the brackets of a list, without white space at its ends.</summary>
    public static ReadOnlySpan<byte> Elements(ReadOnlySpan<byte> list) => list[1..^1].Trim(" \t\r\n"u8);

    /// <summary>What stands between the brackets of a list; empty for anything else.</summary>
    public static ReadOnlySpan<byte> ElementsOf(ReadOnlySpan<byte> value) =>
        value is [(byte)'[', ..] ? Elements(value) : default;
}
