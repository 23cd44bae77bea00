using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// The public keys that a verifier trusts, each under its own <c>kid</c> (RFC 7517 §5). Immutable and safe for
/// concurrent use. Rotation replaces the set by another one.
/// </summary>
internal sealed class JsonWebKeySet
{
    private const int MaxLength = 256 * 1024;

    private readonly JsonWebKey[] _keys;

    /// <summary>Makes a set of keys.</summary>
    /// <exception cref="ArgumentException">Two keys have the same <c>kid</c>.</exception>
    public JsonWebKeySet(params IEnumerable<JsonWebKey> keys)
    {
        _keys = [.. keys];
        if (HasDuplicate(_keys))
            throw new ArgumentException("Two keys of a set have the same kid.", nameof(keys));
    }

    private JsonWebKeySet(JsonWebKey[] keys) => _keys = keys;

    /// <summary>The keys, in the order of the document.</summary>
    public ReadOnlySpan<JsonWebKey> Keys => _keys;

    /// <summary>
    /// Reads a key set. Keys that cannot verify a signature of a supported algorithm (encryption keys, unknown types,
    /// broken or weak keys) are left out, as RFC 7517 §5 asks. The whole set is refused when two usable keys share a
    /// <c>kid</c>, for then a token does not say which one it means, and when a key shows a secret: whoever publishes
    /// secrets cannot vouch for anybody. Never throws on input.
    /// </summary>
    public static bool TryParse(
        ReadOnlySpan<byte> utf8,
        [NotNullWhen(true)] out JsonWebKeySet? keySet,
        out JsonWebKeyFailure failure
    )
    {
        keySet = null;
        var keys = new List<JsonWebKey>();
        failure = Read(utf8, keys);
        if (failure != JsonWebKeyFailure.None)
            return false;

        keySet = new JsonWebKeySet(keys.ToArray());
        return true;
    }

    /// <summary>The key with this <c>kid</c>, or null.</summary>
    public JsonWebKey? Find(string keyId) =>
        Array.Find(_keys, key => string.Equals(key.KeyId, keyId, StringComparison.Ordinal));

    /// <summary>The set as a document for <c>jwks_uri</c> (RFC 8414 §2).</summary>
    public byte[] ToUtf8Json()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, JsonWebKey.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("keys"u8);
            foreach (var key in _keys)
                key.WriteTo(writer);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static JsonWebKeyFailure Read(ReadOnlySpan<byte> utf8, List<JsonWebKey> keys)
    {
        if (utf8.Length > MaxLength)
            return JsonWebKeyFailure.Oversized;
        if (!StrictJson.IsUnambiguousObject(utf8))
            return JsonWebKeyFailure.Malformed;

        var reader = new Utf8JsonReader(utf8, StrictJson.Options);
        reader.Read();
        var isFound = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!reader.ValueTextEquals("keys"u8))
            {
                reader.Skip();
                continue;
            }

            isFound = true;
            var failure = ReadKeys(utf8, ref reader, keys);
            if (failure != JsonWebKeyFailure.None)
                return failure;
        }

        if (!isFound)
            return JsonWebKeyFailure.MissingMember;
        if (keys.Count == 0)
            return JsonWebKeyFailure.NoUsableKey;
        return HasDuplicate(keys) ? JsonWebKeyFailure.DuplicateKeyId : JsonWebKeyFailure.None;
    }

    private static JsonWebKeyFailure ReadKeys(ReadOnlySpan<byte> utf8, ref Utf8JsonReader reader, List<JsonWebKey> keys)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
            return JsonWebKeyFailure.Malformed;

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
                return JsonWebKeyFailure.Malformed;

            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            var end = (int)reader.BytesConsumed;
            if (JsonWebKey.TryParse(utf8[start..end], out var key, out var failure))
                keys.Add(key);
            else if (failure == JsonWebKeyFailure.ContainsSecret)
                return failure;
        }

        return JsonWebKeyFailure.None;
    }

    private static bool HasDuplicate(IReadOnlyCollection<JsonWebKey> keys) =>
        keys.Select(key => key.KeyId).Distinct(StringComparer.Ordinal).Count() != keys.Count;
}
