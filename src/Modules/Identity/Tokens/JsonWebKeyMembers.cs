using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// The members of a JSON Web Key (RFC 7517 §4, RFC 7518 §6) that matter for signatures, read strictly: each with its
/// right type, binary ones decoded. What the members mean is judged by who reads them.
/// </summary>
internal sealed class JsonWebKeyMembers
{
    // An RSA key of 8192 bits with its private parts and a certificate chain stays below.
    private const int MaxLength = 16 * 1024;

    private JsonWebKeyMembers() { }

    /// <summary><c>kty</c>.</summary>
    public string? KeyType { get; private set; }

    /// <summary><c>use</c>.</summary>
    public string? Use { get; private set; }

    /// <summary><c>key_ops</c>.</summary>
    public IReadOnlyList<string>? Operations { get; private set; }

    /// <summary><c>alg</c>.</summary>
    public string? Algorithm { get; private set; }

    /// <summary><c>kid</c>.</summary>
    public string? KeyId { get; private set; }

    /// <summary><c>crv</c>.</summary>
    public string? Curve { get; private set; }

    /// <summary><c>x</c> of an elliptic curve key.</summary>
    public byte[]? X { get; private set; }

    /// <summary><c>y</c> of an elliptic curve key.</summary>
    public byte[]? Y { get; private set; }

    /// <summary><c>n</c>, the modulus of an RSA key.</summary>
    public byte[]? Modulus { get; private set; }

    /// <summary><c>e</c>, the public exponent of an RSA key.</summary>
    public byte[]? Exponent { get; private set; }

    /// <summary><c>d</c>, the private part of an elliptic curve key. Whoever reads it clears it.</summary>
    public byte[]? PrivatePart { get; private set; }

    /// <summary>Reads a public key; any private or symmetric part refuses it.</summary>
    public static bool TryReadPublic(
        ReadOnlySpan<byte> utf8,
        [NotNullWhen(true)] out JsonWebKeyMembers? members,
        out JsonWebKeyFailure failure
    ) => TryRead(utf8, isPrivate: false, out members, out failure);

    /// <summary>Reads a key with its private part <c>d</c>.</summary>
    public static bool TryReadPrivate(
        ReadOnlySpan<byte> utf8,
        [NotNullWhen(true)] out JsonWebKeyMembers? members,
        out JsonWebKeyFailure failure
    ) => TryRead(utf8, isPrivate: true, out members, out failure);

    /// <summary>
    /// Whether <c>use</c> and <c>key_ops</c> (RFC 7517 §4.2, §4.3) leave the key to signatures and allow the
    /// operation. A key that may also encrypt is refused: one key, one purpose (NIST SP 800-57 part 1, §5.2).
    /// </summary>
    public bool Allow(string operation)
    {
        if (Use is not (null or "sig"))
            return false;

        return Operations is null
            || (
                Operations.Contains(operation, StringComparer.Ordinal)
                && Operations.All(name => name is "sign" or "verify")
                && Operations.Distinct(StringComparer.Ordinal).Count() == Operations.Count
            );
    }

    private static bool TryRead(
        ReadOnlySpan<byte> utf8,
        bool isPrivate,
        [NotNullWhen(true)] out JsonWebKeyMembers? members,
        out JsonWebKeyFailure failure
    )
    {
        members = null;
        if (utf8.Length > MaxLength)
        {
            failure = JsonWebKeyFailure.Oversized;
            return false;
        }

        if (!StrictJson.IsUnambiguousObject(utf8))
        {
            failure = JsonWebKeyFailure.Malformed;
            return false;
        }

        var candidate = new JsonWebKeyMembers();
        failure = candidate.Read(utf8, isPrivate);
        if (failure != JsonWebKeyFailure.None)
        {
            CryptographicOperations.ZeroMemory(candidate.PrivatePart);
            return false;
        }

        members = candidate;
        return true;
    }

    private JsonWebKeyFailure Read(ReadOnlySpan<byte> utf8, bool isPrivate)
    {
        var reader = new Utf8JsonReader(utf8, StrictJson.Options);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            if (!isPrivate && IsSecret(name))
                return JsonWebKeyFailure.ContainsSecret;

            var isRead = name switch
            {
                "kty" => (KeyType = Text(ref reader)) is not null,
                "use" => (Use = Text(ref reader)) is not null,
                "key_ops" => (Operations = Texts(ref reader)) is not null,
                "alg" => (Algorithm = Text(ref reader)) is not null,
                "kid" => (KeyId = Text(ref reader)) is not null,
                "crv" => (Curve = Text(ref reader)) is not null,
                "x" => (X = Bytes(ref reader)) is not null,
                "y" => (Y = Bytes(ref reader)) is not null,
                "n" => (Modulus = Bytes(ref reader)) is not null,
                "e" => (Exponent = Bytes(ref reader)) is not null,
                "d" => (PrivatePart = Bytes(ref reader)) is not null,
                _ => reader.TrySkip(),
            };
            if (!isRead)
                return JsonWebKeyFailure.Malformed;
        }

        return JsonWebKeyFailure.None;
    }

    // RFC 7518 §6.2.2, §6.3.2 and §6.4.1: every member that carries a secret.
    private static bool IsSecret(string? name) => name is "d" or "p" or "q" or "dp" or "dq" or "qi" or "oth" or "k";

    private static string? Text(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String ? reader.GetString() : null;

    private static List<string>? Texts(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            return null;

        var texts = new List<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (Text(ref reader) is not { } text)
                return null;
            texts.Add(text);
        }

        return texts;
    }

    // No base64url digit needs an escape, and decoding the raw bytes leaves no copy of a secret in a string.
    private static byte[]? Bytes(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String
        && !reader.ValueIsEscaped
        && Base64UrlText.TryDecode(reader.ValueSpan, out var bytes)
            ? bytes
            : null;
}
