using System.Security.Cryptography;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// A signature algorithm of RFC 7518 §3 that Verbatim verifies. Everything that is not listed here does not exist:
/// HMAC is left out on purpose (a public key taken for a secret is the classic confusion attack), and so is
/// <c>none</c>.
/// </summary>
internal sealed class JwsAlgorithm
{
    /// <summary>ECDSA over P-256 with SHA-256: what Verbatim signs with.</summary>
    public static readonly JwsAlgorithm ES256 = EllipticCurve("ES256", HashAlgorithmName.SHA256, "P-256", 32);

    /// <summary>ECDSA over P-384 with SHA-384.</summary>
    public static readonly JwsAlgorithm ES384 = EllipticCurve("ES384", HashAlgorithmName.SHA384, "P-384", 48);

    /// <summary>ECDSA over P-521 with SHA-512; 521 bits fill 66 bytes.</summary>
    public static readonly JwsAlgorithm ES512 = EllipticCurve("ES512", HashAlgorithmName.SHA512, "P-521", 66);

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-256.</summary>
    public static readonly JwsAlgorithm RS256 = Rsa("RS256", HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-384.</summary>
    public static readonly JwsAlgorithm RS384 = Rsa("RS384", HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1);

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-512.</summary>
    public static readonly JwsAlgorithm RS512 = Rsa("RS512", HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1);

    /// <summary>RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.</summary>
    public static readonly JwsAlgorithm PS256 = Rsa("PS256", HashAlgorithmName.SHA256, RSASignaturePadding.Pss);

    /// <summary>RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes.</summary>
    public static readonly JwsAlgorithm PS384 = Rsa("PS384", HashAlgorithmName.SHA384, RSASignaturePadding.Pss);

    /// <summary>RSASSA-PSS with SHA-512, MGF1 with SHA-512 and a salt of 64 bytes.</summary>
    public static readonly JwsAlgorithm PS512 = Rsa("PS512", HashAlgorithmName.SHA512, RSASignaturePadding.Pss);

    private static readonly JwsAlgorithm[] Supported = [ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512];

    private JwsAlgorithm(string name, HashAlgorithmName hash)
    {
        Name = name;
        Hash = hash;
    }

    /// <summary>Every supported algorithm.</summary>
    public static ReadOnlySpan<JwsAlgorithm> All => Supported;

    /// <summary>The name in <c>alg</c>; names are case-sensitive (RFC 7515 §4.1.1).</summary>
    public string Name { get; }

    /// <summary>The hash of the signing input.</summary>
    public HashAlgorithmName Hash { get; }

    /// <summary>The curve's name in <c>crv</c>, or null for RSA.</summary>
    public string? CurveName { get; private init; }

    /// <summary>Bytes per coordinate; r and s of a signature have the same length. Zero for RSA.</summary>
    public int CoordinateSize { get; private init; }

    /// <summary>The RSA padding, or null for an elliptic curve.</summary>
    public RSASignaturePadding? Padding { get; private init; }

    /// <summary>The platform's curve; elliptic curve algorithms only.</summary>
    public ECCurve Curve =>
        CurveName switch
        {
            "P-256" => ECCurve.NamedCurves.nistP256,
            "P-384" => ECCurve.NamedCurves.nistP384,
            "P-521" => ECCurve.NamedCurves.nistP521,
            _ => throw new InvalidOperationException($"{Name} has no curve."),
        };

    /// <summary>The algorithm with exactly this name, or null.</summary>
    public static JwsAlgorithm? Find(string name) =>
        Array.Find(Supported, algorithm => string.Equals(algorithm.Name, name, StringComparison.Ordinal));

    /// <summary>The one algorithm of a curve (RFC 7518 §3.4), or null for a curve that is not supported.</summary>
    public static JwsAlgorithm? FindByCurve(string curve) =>
        Array.Find(Supported, algorithm => string.Equals(algorithm.CurveName, curve, StringComparison.Ordinal));

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static JwsAlgorithm EllipticCurve(string name, HashAlgorithmName hash, string curve, int coordinateSize) =>
        new(name, hash) { CurveName = curve, CoordinateSize = coordinateSize };

    private static JwsAlgorithm Rsa(string name, HashAlgorithmName hash, RSASignaturePadding padding) =>
        new(name, hash) { Padding = padding };
}
