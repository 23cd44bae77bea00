using System.Buffers.Text;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.ObjectPool;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>An RSA public key (RFC 7518 §6.3).</summary>
internal sealed class RsaKey : JsonWebKey
{
    // RFC 7518 §3.3: 2048 bits or larger must be used.
    private const int MinBits = 2048;

    // Verification grows with the square of the length: beyond this a key set could slow every request down.
    private const int MaxBits = 8192;

    // FIPS 186-5, appendix A.1.1: odd and above 2^16. OpenSSL takes no more than 64 bits for large moduli.
    private const ulong MinExponent = 65537;

    private readonly string _modulus;
    private readonly string _exponent;
    private readonly int _size;
    private readonly ObjectPool<RSA> _pool;

    private RsaKey(JwsAlgorithm algorithm, string? keyId, string n, string e, int size, ObjectPool<RSA> pool)
        : base(algorithm, keyId, ThumbprintOf($$"""{"e":"{{e}}","kty":"RSA","n":"{{n}}"}"""))
    {
        _modulus = n;
        _exponent = e;
        _size = size;
        _pool = pool;
    }

    // RFC 8017 §8.1.2 and §8.2.2: a signature is as long as the modulus.
    private protected override int SignatureSize => _size;

    /// <summary>Makes the key from the members of a JSON Web Key whose <c>kty</c> is RSA.</summary>
    public static JsonWebKeyFailure Create(JsonWebKeyMembers members, out RsaKey? key)
    {
        key = null;
        if (members is not { Modulus: not null, Exponent: not null })
            return JsonWebKeyFailure.MissingMember;

        var algorithm = members.Algorithm is null ? JwsAlgorithm.RS256 : JwsAlgorithm.Find(members.Algorithm);
        if (algorithm is null)
            return JsonWebKeyFailure.UnsupportedAlgorithm;
        if (algorithm.Padding is null)
            return JsonWebKeyFailure.AlgorithmMismatch;

        var failure = Check(members.Modulus, members.Exponent);
        if (failure != JsonWebKeyFailure.None)
            return failure;

        var parameters = new RSAParameters { Modulus = members.Modulus, Exponent = members.Exponent };
        try
        {
            var pool = KeyPool.Create(() => RSA.Create(parameters));
            pool.Return(pool.Get());
            key = new RsaKey(
                algorithm,
                members.KeyId,
                Base64Url.EncodeToString(members.Modulus),
                Base64Url.EncodeToString(members.Exponent),
                members.Modulus.Length,
                pool
            );
            return JsonWebKeyFailure.None;
        }
        catch (CryptographicException)
        {
            return JsonWebKeyFailure.InvalidKey;
        }
    }

    private protected override bool VerifySized(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        var rsa = _pool.Get();
        try
        {
            // Pss means a salt as long as the hash, which RFC 7518 §3.5 demands; any other length is refused.
            return rsa.VerifyData(data, signature, Algorithm.Hash, Algorithm.Padding!);
        }
        finally
        {
            _pool.Return(rsa);
        }
    }

    private protected override void WriteMembers(Utf8JsonWriter writer)
    {
        writer.WriteString("e"u8, _exponent);
        writer.WriteString("kty"u8, "RSA"u8);
        writer.WriteString("n"u8, _modulus);
    }

    private static JsonWebKeyFailure Check(ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> exponent)
    {
        // RFC 7518 §2, Base64urlUInt: the fewest bytes that represent the value.
        if (modulus is not [not 0, ..] || exponent is not [not 0, ..])
            return JsonWebKeyFailure.WrongSize;

        var bits = new BigInteger(modulus, isUnsigned: true, isBigEndian: true).GetBitLength();
        if (bits > MaxBits || exponent.Length > sizeof(ulong))
            return JsonWebKeyFailure.WrongSize;
        if (bits < MinBits || !IsOdd(modulus) || !IsOdd(exponent) || Value(exponent) < MinExponent)
            return JsonWebKeyFailure.WeakKey;

        return RocaFingerprint.Matches(modulus) ? JsonWebKeyFailure.WeakKey : JsonWebKeyFailure.None;
    }

    private static bool IsOdd(ReadOnlySpan<byte> bigEndian) => (bigEndian[^1] & 1) == 1;

    private static ulong Value(ReadOnlySpan<byte> bigEndian)
    {
        ulong value = 0;
        foreach (var digit in bigEndian)
            value = (value << 8) | digit;
        return value;
    }
}
