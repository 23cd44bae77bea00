using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Modules.Identity.OAuth.Authorization;

/// <summary>Proof Key for Code Exchange (RFC 7636), with S256 alone.</summary>
internal static class ProofKey
{
    private const int MinVerifier = 43;
    private const int MaxVerifier = 128;

    // RFC 7636 §4.1: the unreserved characters.
    private static readonly SearchValues<char> VerifierCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    );

    /// <summary>Whether the text can be the SHA-256 of something.</summary>
    public static bool IsChallenge(string text) =>
        text.Length == Base64Url.GetEncodedLength(SHA256.HashSizeInBytes)
        && Ascii.IsValid(text)
        && Base64UrlText.IsCanonical(Encoding.ASCII.GetBytes(text));

    /// <summary>Whether the verifier is what the challenge was made of.</summary>
    public static bool Matches(string challenge, string verifier)
    {
        if (
            verifier.Length is < MinVerifier or > MaxVerifier
            || verifier.AsSpan().ContainsAnyExcept(VerifierCharacters)
        )
            return false;
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes(verifier));
        return CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(Base64Url.EncodeToString(hash)),
            Encoding.ASCII.GetBytes(challenge)
        );
    }
}
