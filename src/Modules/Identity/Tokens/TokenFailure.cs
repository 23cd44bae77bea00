namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// Why a token was refused. For logs, metrics and tests; a caller is only ever told that the token is not valid,
/// because a precise answer helps nobody but an attacker.
/// </summary>
internal enum TokenFailure
{
    /// <summary>The token was accepted.</summary>
    None = 0,

    /// <summary>Longer than <see cref="Jws.MaxLength"/>, or its header longer than any that makes sense.</summary>
    Oversized,

    /// <summary>Not three segments in compact serialization, or characters that are not ASCII.</summary>
    Malformed,

    /// <summary>A segment is not the canonical base64url form of any bytes.</summary>
    BadEncoding,

    /// <summary>The header is not one JSON object with unambiguous members of the right types.</summary>
    BadHeader,

    /// <summary>The header demands an extension (<c>crit</c>, <c>b64</c>); none is supported.</summary>
    CriticalHeader,

    /// <summary>The algorithm is not one of <see cref="JwsAlgorithm"/>: <c>none</c>, HMAC, an unknown name.</summary>
    UnsupportedAlgorithm,

    /// <summary>The header names no key, and the caller did not choose one.</summary>
    MissingKeyId,

    /// <summary>The header names a key that the caller does not trust.</summary>
    UnknownKey,

    /// <summary>The header's algorithm is not the one that the key is bound to.</summary>
    AlgorithmMismatch,

    /// <summary>The header's <c>typ</c> is not the one that the caller requires.</summary>
    WrongType,

    /// <summary>The signature does not verify, or has the wrong length.</summary>
    BadSignature,

    /// <summary>The payload is not an unambiguous JSON object with every required claim in its right type.</summary>
    BadClaims,

    /// <summary>Issued by someone else.</summary>
    WrongIssuer,

    /// <summary>Meant for someone else.</summary>
    WrongAudience,

    /// <summary><c>exp</c> has passed.</summary>
    Expired,

    /// <summary><c>nbf</c> or <c>iat</c> lies in the future.</summary>
    NotYetValid,
}
