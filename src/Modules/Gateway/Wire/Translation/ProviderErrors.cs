using System.Text.Json;

namespace Verbatim.Modules.Gateway.Wire.Translation;

/// <summary>Reads the errors of both providers: <c>{"error":{…}}</c>, with or without <c>"type":"error"</c> around, and what comes near to it.</summary>
internal static class ProviderErrors
{
    private const int MostMessageBytes = 4000;

    /// <summary>An error with a status of its own.</summary>
    /// <param name="status">The provider's status.</param>
    /// <param name="body">What came with it, JSON or not.</param>
    public static WireError OfStatus(int status, ReadOnlySpan<byte> body)
    {
        var found = Find(body);
        return new WireError(
            status,
            found.Message ?? $"The provider answered with the status {status}.",
            found.Param,
            found.Code
        );
    }

    /// <summary>An error that came in a stream, whose status is told by its type or code only.</summary>
    /// <param name="json">The event's data, or the error in it.</param>
    /// <param name="keepsType">The caller speaks the provider's wire, so that its word for the type of the error is theirs.</param>
    public static WireError InStream(ReadOnlySpan<byte> json, bool keepsType = false)
    {
        var found = Find(json);
        var error = new WireError(
            StatusOf(found.Type, found.Code),
            found.Message ?? "The provider failed in the middle of its answer.",
            found.Param,
            found.Code
        );
        return keepsType && found.Type is { } type ? error with { Type = type } : error;
    }

    // Claude API reference, "Errors"; OpenAI's API reference, "Error codes".
    private static int StatusOf(string? type, string? code) =>
        (type, code) switch
        {
            ("invalid_request_error", _) => 400,
            ("authentication_error", _) => 401,
            ("billing_error", _) => 402,
            ("permission_error", _) => 403,
            ("not_found_error", _) => 404,
            ("request_too_large", _) => 413,
            ("rate_limit_error" or "requests" or "tokens", _) => 429,
            (_, "rate_limit_exceeded" or "429" or "insufficient_quota") => 429,
            ("timeout_error", _) => 504,
            ("overloaded_error", _) => 529,
            (_, "overloaded" or "503" or "529" or "server_overloaded") => 529,
            _ => 500,
        };

    private static Found Find(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            if (!JsonObjects.IsWellFormed(body) || !reader.Read())
                return default;
            return Find(ref reader, isInside: false);
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private static Found Find(scoped ref Utf8JsonReader reader, bool isInside)
    {
        var found = default(Found);
        var inside = default(Found?);
        while (JsonReading.NextMember(ref reader))
        {
            if (JsonNames.Is(ref reader, "message"u8))
                found.Message = Word(ref reader, MostMessageBytes);
            else if (JsonNames.Is(ref reader, "type"u8))
                found.Type = Word(ref reader, 100);
            else if (JsonNames.Is(ref reader, "param"u8))
                found.Param = Word(ref reader, 200);
            else if (JsonNames.Is(ref reader, "code"u8))
                found.Code = Word(ref reader, 100);
            else if (!isInside && JsonNames.Is(ref reader, "error"u8))
                inside = Inside(ref reader);
            // FastAPI's, and with it vLLM's, shape of other errors.
            else if (JsonNames.Is(ref reader, "detail"u8))
                found.Message ??= Word(ref reader, MostMessageBytes);
            else
                reader.Skip();
        }
        return inside ?? found;
    }

    private static Found Inside(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartObject)
            return Find(ref reader, isInside: true);
        // Ollama's own errors are a string.
        if (reader.TokenType == JsonTokenType.String)
            return new Found { Message = Unescaped(reader.ValueSpan, MostMessageBytes) };
        reader.Skip();
        return default;
    }

    // A number is a code too: OpenRouter's are statuses.
    private static string? Word(scoped ref Utf8JsonReader reader, int most)
    {
        reader.Read();
        if (reader.TokenType is JsonTokenType.String or JsonTokenType.Number && reader.ValueSpan.Length > 0)
            return Unescaped(reader.ValueSpan, most);
        reader.Skip();
        return null;
    }

    private static string Unescaped(ReadOnlySpan<byte> escaped, int most)
    {
        var text = JsonText.Unescape(escaped[..Math.Min(escaped.Length, most)]);
        // A cut in the middle of a character.
        return text.TrimEnd('\uFFFD');
    }

    private struct Found
    {
        public string? Message;
        public string? Type;
        public string? Param;
        public string? Code;
    }
}
