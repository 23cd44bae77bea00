using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.ObjectPool;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// A private key of Verbatim's own, for ES256. Immutable and safe for concurrent use. Its <c>kid</c> is the RFC 7638
/// thumbprint of its public key unless the stored key names another.
/// </summary>
internal sealed class SigningKey
{
    private readonly ObjectPool<ECDsa> _pool;

    private SigningKey(ECParameters parameters, string? keyId)
    {
        PublicKey = EllipticCurveKey.Create(JwsAlgorithm.ES256, parameters.Q, keyId);
        _pool = KeyPool.Create(() => ECDsa.Create(parameters));
    }

    /// <summary>Bytes of a signature: r and s, 32 bytes each (RFC 7518 §3.4).</summary>
    public const int SignatureSize = 64;

    /// <summary>What others need to verify, to be published in the key set.</summary>
    public JsonWebKey PublicKey { get; }

    /// <summary>The <c>kid</c> of every token that is signed with this key.</summary>
    public string KeyId => PublicKey.KeyId;

    /// <summary>Makes a new key.</summary>
    public static SigningKey Generate()
    {
        using var ecdsa = ECDsa.Create(JwsAlgorithm.ES256.Curve);
        return new SigningKey(ecdsa.ExportParameters(includePrivateParameters: true), keyId: null);
    }

    /// <summary>
    /// Reads a private key that <see cref="ExportPrivateJwk"/> has written, or any P-256 JSON Web Key with <c>d</c>. A
    /// private part that does not belong to the public one is refused. Never throws on input.
    /// </summary>
    public static bool TryParse(
        ReadOnlySpan<byte> utf8,
        [NotNullWhen(true)] out SigningKey? key,
        out JsonWebKeyFailure failure
    )
    {
        key = null;
        if (!JsonWebKeyMembers.TryReadPrivate(utf8, out var members, out failure))
            return false;

        failure = Create(members, out key);
        if (failure != JsonWebKeyFailure.None)
            CryptographicOperations.ZeroMemory(members.PrivatePart);
        return failure == JsonWebKeyFailure.None;
    }

    /// <summary>Signs data into exactly <see cref="SignatureSize"/> bytes and returns that number.</summary>
    public int Sign(ReadOnlySpan<byte> data, Span<byte> destination)
    {
        var ecdsa = _pool.Get();
        try
        {
            return ecdsa.SignData(
                data,
                destination[..SignatureSize],
                JwsAlgorithm.ES256.Hash,
                DSASignatureFormat.IeeeP1363FixedFieldConcatenation
            );
        }
        finally
        {
            _pool.Return(ecdsa);
        }
    }

    /// <summary>
    /// The private key as a JSON Web Key, to be stored sealed. Clear the array
    /// (<see cref="CryptographicOperations.ZeroMemory"/>) when it has been stored.
    /// </summary>
    public byte[] ExportPrivateJwk()
    {
        var ecdsa = _pool.Get();
        var parameters = ecdsa.ExportParameters(includePrivateParameters: true);
        _pool.Return(ecdsa);

        // Large enough that the buffer never moves, which would leave a copy of the secret behind: the writer asks for
        // 4 KiB at a time, and no character of the kid takes more than six bytes.
        var buffer = new ArrayBufferWriter<byte>((8 * 1024) + (6 * KeyId.Length));
        Span<byte> encoded = stackalloc byte[64];
        using (var writer = new Utf8JsonWriter(buffer, JsonWebKey.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("kty"u8, "EC"u8);
            writer.WriteString("crv"u8, JwsAlgorithm.ES256.CurveName);
            writer.WriteString("x"u8, Encode(parameters.Q.X, encoded));
            writer.WriteString("y"u8, Encode(parameters.Q.Y, encoded));
            writer.WriteString("d"u8, Encode(parameters.D, encoded));
            writer.WriteString("use"u8, "sig"u8);
            writer.WriteString("alg"u8, JwsAlgorithm.ES256.Name);
            writer.WriteString("kid"u8, KeyId);
            writer.WriteEndObject();
        }

        var json = buffer.WrittenSpan.ToArray();
        buffer.Clear();
        CryptographicOperations.ZeroMemory(encoded);
        CryptographicOperations.ZeroMemory(parameters.D);
        return json;
    }

    /// <inheritdoc/>
    public override string ToString() => PublicKey.ToString();

    private static JsonWebKeyFailure Create(JsonWebKeyMembers members, out SigningKey? key)
    {
        key = null;
        if (members.KeyType is not "EC")
            return members.KeyType is null ? JsonWebKeyFailure.MissingMember : JsonWebKeyFailure.UnsupportedKeyType;
        if (!members.Allow("sign"))
            return JsonWebKeyFailure.WrongUse;

        // All that holds for the public part; it also checks that the point is on the curve.
        var failure = EllipticCurveKey.Create(members, out var publicKey);
        if (failure != JsonWebKeyFailure.None)
            return failure;
        if (publicKey!.Algorithm != JwsAlgorithm.ES256)
            return JsonWebKeyFailure.UnsupportedCurve;
        if (members.PrivatePart is null)
            return JsonWebKeyFailure.MissingSecret;

        // RFC 7518 §6.2.2.1: as long as the group's order, leading zeros included.
        if (members.PrivatePart.Length != JwsAlgorithm.ES256.CoordinateSize)
            return JsonWebKeyFailure.WrongSize;

        try
        {
            var parameters = new ECParameters
            {
                Curve = JwsAlgorithm.ES256.Curve,
                Q = new ECPoint { X = members.X, Y = members.Y },
                D = members.PrivatePart,
            };
            var candidate = new SigningKey(parameters, members.KeyId);
            if (!candidate.IsPair())
                return JsonWebKeyFailure.InvalidKey;

            key = candidate;
            return JsonWebKeyFailure.None;
        }
        catch (CryptographicException)
        {
            return JsonWebKeyFailure.InvalidKey;
        }
    }

    private static ReadOnlySpan<byte> Encode(ReadOnlySpan<byte> bytes, Span<byte> destination) =>
        destination[..Base64Url.EncodeToUtf8(bytes, destination)];

    // OpenSSL refuses a foreign private part at import; not every platform does.
    private bool IsPair()
    {
        Span<byte> signature = stackalloc byte[SignatureSize];
        Sign("pair"u8, signature);
        return PublicKey.Verify("pair"u8, signature);
    }
}
