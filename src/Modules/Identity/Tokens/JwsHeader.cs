using System.Text;
using System.Text.Json;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>Reads the JOSE header (RFC 7515 §4), which is attacker's text until the signature has been verified.</summary>
internal static class JwsHeader
{
    // No type that is worth insisting on is longer.
    private const int MaxTypeLength = 64;

    /// <summary>Finds the key that the header means and checks that the header asks for nothing else.</summary>
    /// <param name="json">The decoded header.</param>
    /// <param name="keys">The keys to choose from.</param>
    /// <param name="isKeyChosen">Whether the caller has chosen the only key, so that <c>kid</c> may be missing.</param>
    /// <param name="type">The <c>typ</c> to insist on, or null.</param>
    /// <param name="key">The key when the answer is <see cref="TokenFailure.None"/>.</param>
    public static TokenFailure Read(
        ReadOnlySpan<byte> json,
        ReadOnlySpan<JsonWebKey> keys,
        bool isKeyChosen,
        string? type,
        out JsonWebKey? key
    )
    {
        key = null;
        if (!StrictJson.IsUnambiguousObject(json))
            return TokenFailure.BadHeader;

        var hasAlgorithm = false;
        var hasKeyId = false;
        var isRightType = type is null;
        JwsAlgorithm? algorithm = null;
        var reader = new Utf8JsonReader(json, StrictJson.Options);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("alg"u8))
            {
                hasAlgorithm = true;
                if (!ReadString(ref reader))
                    return TokenFailure.BadHeader;
                algorithm = FindAlgorithm(ref reader);
            }
            else if (reader.ValueTextEquals("kid"u8))
            {
                hasKeyId = true;
                if (!ReadString(ref reader))
                    return TokenFailure.BadHeader;
                key = FindKey(ref reader, keys);
            }
            else if (reader.ValueTextEquals("typ"u8))
            {
                if (!ReadString(ref reader))
                    return TokenFailure.BadHeader;
                isRightType = type is null || IsType(ref reader, type);
            }
            else if (reader.ValueTextEquals("crit"u8) || reader.ValueTextEquals("b64"u8))
            {
                // RFC 7515 §4.1.11: extensions that must be understood. RFC 7797: another signing input.
                return TokenFailure.CriticalHeader;
            }
            else
            {
                reader.Skip();
            }
        }

        if (!hasAlgorithm)
            return TokenFailure.BadHeader;
        if (algorithm is null)
            return TokenFailure.UnsupportedAlgorithm;
        if (!hasKeyId && !isKeyChosen)
            return TokenFailure.MissingKeyId;
        if (!hasKeyId)
            key = keys[0];
        if (key is null)
            return TokenFailure.UnknownKey;
        if (key.Algorithm != algorithm)
            return TokenFailure.AlgorithmMismatch;

        return isRightType ? TokenFailure.None : TokenFailure.WrongType;
    }

    private static bool ReadString(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.String;
    }

    private static JwsAlgorithm? FindAlgorithm(ref Utf8JsonReader reader)
    {
        foreach (var algorithm in JwsAlgorithm.All)
        {
            if (reader.ValueTextEquals(algorithm.Name))
                return algorithm;
        }

        return null;
    }

    // A key set has a handful of keys; comparing lengths first makes this as fast as a table.
    private static JsonWebKey? FindKey(ref Utf8JsonReader reader, ReadOnlySpan<JsonWebKey> keys)
    {
        foreach (var key in keys)
        {
            if (reader.ValueTextEquals(key.KeyIdUtf8))
                return key;
        }

        return null;
    }

    // RFC 7515 §4.1.9: a media type, so without regard to case, and "application/" may be left out.
    private static bool IsType(ref Utf8JsonReader reader, string type)
    {
        if (reader.ValueSpan.Length > MaxTypeLength)
            return false;

        Span<byte> text = stackalloc byte[MaxTypeLength];
        ReadOnlySpan<byte> actual = text[..reader.CopyString(text)];
        var prefix = "application/"u8;
        if (actual.Length > prefix.Length && Ascii.EqualsIgnoreCase(actual[..prefix.Length], prefix))
            actual = actual[prefix.Length..];
        return Ascii.EqualsIgnoreCase(actual, type);
    }
}
