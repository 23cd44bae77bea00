using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// Validates JWT access tokens (RFC 9068 §4) on the request path. Safe for concurrent use; make one for the process.
/// Signature and claims of a token that was seen before are remembered, its times are checked every time. Whether the
/// token was revoked is not known here.
/// </summary>
internal sealed class AccessTokenValidator
{
    /// <summary>The largest clock skew that may be configured.</summary>
    public static readonly TimeSpan MaxClockSkew = TimeSpan.FromSeconds(30);

    private readonly string? _issuer;
    private readonly string _audience;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _clockSkew;
    private readonly VerifiedTokens _verified = new();

    /// <summary>Makes a validator.</summary>
    /// <param name="issuer">The one <c>iss</c> that is accepted, or null where the keys alone tell.</param>
    /// <param name="audience">What <c>aud</c> must be or contain.</param>
    /// <param name="clock">Tells the time that the token's times are compared with.</param>
    /// <param name="clockSkew">How far the clocks of issuer and validator may differ.</param>
    /// <exception cref="ArgumentOutOfRangeException">The skew is negative or above <see cref="MaxClockSkew"/>.</exception>
    public AccessTokenValidator(string? issuer, string audience, TimeProvider clock, TimeSpan clockSkew)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(clockSkew, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(clockSkew, MaxClockSkew);
        _issuer = issuer;
        _audience = audience;
        _clock = clock;
        _clockSkew = clockSkew;
    }

    /// <summary>
    /// Whether the text is a token that one of the keys has signed for this issuer and audience, valid now. Pass the
    /// same set object until the keys change: another one empties the memory of seen tokens. Never throws on input.
    /// </summary>
    public bool TryValidate(
        ReadOnlySpan<char> text,
        JsonWebKeySet keys,
        [NotNullWhen(true)] out AccessToken? token,
        out TokenFailure failure
    )
    {
        failure = Validate(text, keys, out token);
        if (token is null)
            return false;

        failure = CheckTimes(token);
        if (failure == TokenFailure.None)
            return true;

        token = null;
        return false;
    }

    private TokenFailure Validate(ReadOnlySpan<char> text, JsonWebKeySet keys, out AccessToken? token)
    {
        token = null;
        if (text.Length > Jws.MaxLength)
            return TokenFailure.Oversized;

        var digest = TokenDigest.Of(text);
        if (_verified.TryGet(digest, keys, out token))
            return TokenFailure.None;

        var failure = Verify(text, keys, out token);
        if (failure == TokenFailure.None)
            _verified.Add(digest, keys, token!);
        return failure;
    }

    private TokenFailure Verify(ReadOnlySpan<char> text, JsonWebKeySet keys, out AccessToken? token)
    {
        token = null;
        var claims = ArrayPool<byte>.Shared.Rent(Jws.MaxPayloadLength(text.Length));
        try
        {
            return Jws.TryVerify(text, keys, AccessToken.Type, claims, out var written, out var failure)
                ? AccessTokenClaims.Read(claims.AsSpan(0, written), _issuer, _audience, out token)
                : failure;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(claims, clearArray: true);
        }
    }

    private TokenFailure CheckTimes(AccessToken token)
    {
        var now = _clock.GetUtcNow();
        if (now >= token.ExpiresAt + _clockSkew)
            return TokenFailure.Expired;

        var latest = now + _clockSkew;
        return token.NotBefore > latest || token.IssuedAt > latest ? TokenFailure.NotYetValid : TokenFailure.None;
    }
}
