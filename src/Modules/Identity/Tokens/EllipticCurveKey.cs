using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.ObjectPool;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>A public key on P-256, P-384 or P-521 (RFC 7518 §6.2).</summary>
internal sealed class EllipticCurveKey : JsonWebKey
{
    private readonly string _x;
    private readonly string _y;
    private readonly ObjectPool<ECDsa> _pool;

    private EllipticCurveKey(JwsAlgorithm algorithm, string? keyId, string x, string y, ObjectPool<ECDsa> pool)
        : base(
            algorithm,
            keyId,
            ThumbprintOf($$"""{"crv":"{{algorithm.CurveName}}","kty":"EC","x":"{{x}}","y":"{{y}}"}""")
        )
    {
        _x = x;
        _y = y;
        _pool = pool;
    }

    private protected override int SignatureSize => 2 * Algorithm.CoordinateSize;

    /// <summary>Makes the key from the members of a JSON Web Key whose <c>kty</c> is EC.</summary>
    public static JsonWebKeyFailure Create(JsonWebKeyMembers members, out EllipticCurveKey? key)
    {
        key = null;
        if (members is not { Curve: not null, X: not null, Y: not null })
            return JsonWebKeyFailure.MissingMember;
        if (JwsAlgorithm.FindByCurve(members.Curve) is not { } algorithm)
            return JsonWebKeyFailure.UnsupportedCurve;
        if (
            members.Algorithm is not null
            && !string.Equals(members.Algorithm, algorithm.Name, StringComparison.Ordinal)
        )
        {
            return JwsAlgorithm.Find(members.Algorithm) is null
                ? JsonWebKeyFailure.UnsupportedAlgorithm
                : JsonWebKeyFailure.AlgorithmMismatch;
        }

        // RFC 7518 §6.2.1.2: leading zeros are kept, so the length is fixed.
        if (members.X.Length != algorithm.CoordinateSize || members.Y.Length != algorithm.CoordinateSize)
            return JsonWebKeyFailure.WrongSize;

        try
        {
            key = Create(algorithm, new ECPoint { X = members.X, Y = members.Y }, members.KeyId);
            return JsonWebKeyFailure.None;
        }
        catch (CryptographicException)
        {
            return JsonWebKeyFailure.InvalidKey;
        }
    }

    /// <summary>Makes the key from a point.</summary>
    /// <exception cref="CryptographicException">The point is not on the curve.</exception>
    public static EllipticCurveKey Create(JwsAlgorithm algorithm, ECPoint point, string? keyId)
    {
        var parameters = new ECParameters { Curve = algorithm.Curve, Q = point };
        var pool = KeyPool.Create(() => ECDsa.Create(parameters));

        // The import is what checks the point; the object is kept for the first verification.
        pool.Return(pool.Get());
        return new EllipticCurveKey(
            algorithm,
            keyId,
            Base64Url.EncodeToString(point.X),
            Base64Url.EncodeToString(point.Y),
            pool
        );
    }

    private protected override bool VerifySized(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        var ecdsa = _pool.Get();
        try
        {
            return ecdsa.VerifyData(
                data,
                signature,
                Algorithm.Hash,
                DSASignatureFormat.IeeeP1363FixedFieldConcatenation
            );
        }
        finally
        {
            _pool.Return(ecdsa);
        }
    }

    private protected override void WriteMembers(Utf8JsonWriter writer)
    {
        writer.WriteString("crv"u8, Algorithm.CurveName);
        writer.WriteString("kty"u8, "EC"u8);
        writer.WriteString("x"u8, _x);
        writer.WriteString("y"u8, _y);
    }
}
