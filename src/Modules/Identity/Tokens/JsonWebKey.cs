using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// A public key that verifies signatures of exactly one algorithm. Immutable, safe for concurrent use, and proven
/// sound when it was made: right sizes, on its curve, strong enough.
/// </summary>
internal abstract class JsonWebKey
{
    /// <summary>Readable output; the default encoder would write the plus sign of a media type as an escape.</summary>
    public static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly byte[] _keyIdUtf8;

    private protected JsonWebKey(JwsAlgorithm algorithm, string? keyId, string thumbprint)
    {
        Algorithm = algorithm;
        Thumbprint = thumbprint;
        KeyId = keyId ?? thumbprint;
        _keyIdUtf8 = Encoding.UTF8.GetBytes(KeyId);
    }

    /// <summary>The only algorithm that this key verifies, whatever a token says.</summary>
    public JwsAlgorithm Algorithm { get; }

    /// <summary><c>kid</c>, or the thumbprint where the key has none.</summary>
    public string KeyId { get; }

    /// <summary><see cref="KeyId"/> in UTF-8.</summary>
    public ReadOnlySpan<byte> KeyIdUtf8 => _keyIdUtf8;

    /// <summary>RFC 7638 with SHA-256, in base64url.</summary>
    public string Thumbprint { get; }

    /// <summary>
    /// Reads a public key (RFC 7517). An elliptic curve fixes its algorithm (RFC 7518 §3.4). An RSA key without
    /// <c>alg</c> is bound to RS256, the default of OpenID Connect Core 1.0 §3.1.3.7: some providers publish such keys.
    /// Never throws on input.
    /// </summary>
    public static bool TryParse(
        ReadOnlySpan<byte> utf8,
        [NotNullWhen(true)] out JsonWebKey? key,
        out JsonWebKeyFailure failure
    )
    {
        key = null;
        if (!JsonWebKeyMembers.TryReadPublic(utf8, out var members, out failure))
            return false;

        failure = members.Allow("verify") ? Create(members, out key) : JsonWebKeyFailure.WrongUse;
        return failure == JsonWebKeyFailure.None;
    }

    /// <summary>
    /// Whether the signature is this key's over the data. A signature of any other length than the algorithm's is
    /// refused unseen. Never throws on input.
    /// </summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureSize)
            return false;

        try
        {
            return VerifySized(data, signature);
        }
        catch (CryptographicException)
        {
            // A platform may report an impossible signature (r = 0, s not below the modulus) as an error.
            return false;
        }
    }

    /// <summary>Writes the public key with <c>use</c>, <c>alg</c> and <c>kid</c>, as one JSON object.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        WriteMembers(writer);
        writer.WriteString("use"u8, "sig"u8);
        writer.WriteString("alg"u8, Algorithm.Name);
        writer.WriteString("kid"u8, KeyId);
        writer.WriteEndObject();
    }

    /// <summary>The public key as JSON.</summary>
    public byte[] ToUtf8Json()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
            WriteTo(writer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Algorithm} {KeyId}";

    /// <summary>Bytes of each of this key's signatures.</summary>
    private protected abstract int SignatureSize { get; }

    private protected abstract bool VerifySized(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);

    /// <summary>Writes the members that make the key, in the order of RFC 7638 §3.3.</summary>
    private protected abstract void WriteMembers(Utf8JsonWriter writer);

    private protected static string ThumbprintOf(string canonicalJson) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(canonicalJson)));

    private static JsonWebKeyFailure Create(JsonWebKeyMembers members, out JsonWebKey? key)
    {
        key = null;
        JsonWebKeyFailure failure;
        switch (members.KeyType)
        {
            case "EC":
                failure = EllipticCurveKey.Create(members, out var ellipticCurveKey);
                key = ellipticCurveKey;
                return failure;
            case "RSA":
                failure = RsaKey.Create(members, out var rsaKey);
                key = rsaKey;
                return failure;
            case null:
                return JsonWebKeyFailure.MissingMember;
            default:
                return JsonWebKeyFailure.UnsupportedKeyType;
        }
    }
}
