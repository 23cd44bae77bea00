namespace Verbatim.Modules.Identity.Tokens;

/// <summary>Why a JSON Web Key or a key set was refused.</summary>
internal enum JsonWebKeyFailure
{
    /// <summary>The key was accepted.</summary>
    None = 0,

    /// <summary>Longer than a key or a key set can reasonably be.</summary>
    Oversized,

    /// <summary>Not an unambiguous JSON object, a member of the wrong type, or bad base64url.</summary>
    Malformed,

    /// <summary>A member that this kind of key needs is missing.</summary>
    MissingMember,

    /// <summary>A private or symmetric part stands where only a public key belongs: that key is burnt.</summary>
    ContainsSecret,

    /// <summary>The private part is missing.</summary>
    MissingSecret,

    /// <summary><c>kty</c> is neither EC nor RSA (for a signing key: not EC).</summary>
    UnsupportedKeyType,

    /// <summary><c>crv</c> is none of P-256, P-384, P-521 (for a signing key: not P-256).</summary>
    UnsupportedCurve,

    /// <summary><c>alg</c> is not one of <see cref="JwsAlgorithm"/>.</summary>
    UnsupportedAlgorithm,

    /// <summary><c>alg</c> does not belong to this kind of key or curve.</summary>
    AlgorithmMismatch,

    /// <summary><c>use</c> or <c>key_ops</c> reserve the key for something else.</summary>
    WrongUse,

    /// <summary>A coordinate, modulus or exponent is too short, too long or padded with zeros.</summary>
    WrongSize,

    /// <summary>An RSA key that gives no security: short or even modulus, small exponent, ROCA.</summary>
    WeakKey,

    /// <summary>The platform's cryptography refuses it: a point off the curve, a private part that does not belong.</summary>
    InvalidKey,

    /// <summary>Two keys of a set have the same <c>kid</c>.</summary>
    DuplicateKeyId,

    /// <summary>No key of the set can verify a signature.</summary>
    NoUsableKey,
}
