using System.Text.Json;

namespace Verbatim.Tests.Upstream;

/// <summary>Finds the few fields of a body that matter, without building a document of the rest.</summary>
internal static class JsonScan
{
    /// <summary>A reader inside the object that a body is.</summary>
    /// <exception cref="JsonException">The body is no JSON object.</exception>
    public static Utf8JsonReader Begin(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        reader.Read();
        return reader.TokenType is JsonTokenType.StartObject ? reader : throw new JsonException("not an object");
    }

    /// <summary>Whether this came of reading a body that is no JSON, or that has half of a surrogate pair in a text.</summary>
    public static bool IsBroken(Exception e) =>
        e
            is JsonException
                or InvalidOperationException { Source: "System.Text.Json" or "System.Text.Json.Rethrowable" };

    /// <summary>True or false; anything else is <paramref name="otherwise"/>.</summary>
    public static bool ReadFlag(scoped ref Utf8JsonReader reader, bool otherwise)
    {
        reader.Read();
        var flag = reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            _ => otherwise,
        };
        reader.Skip();
        return flag;
    }

    /// <summary>The JSON of the next value.</summary>
    public static ReadOnlySpan<byte> ReadRaw(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> body)
    {
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return body[start..(int)reader.BytesConsumed];
    }

    public static void Skip(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }

    /// <summary>The text that a JSON is, or null when it is absent, empty or no text.</summary>
    public static string? Text(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty || json[0] is not (byte)'"' || json.Length is 2)
            return null;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        return reader.GetString();
    }
}
