using System.Buffers;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>Issues JWT access tokens (RFC 9068), signed with ES256.</summary>
/// <param name="issuer"><c>iss</c>: this installation's address.</param>
/// <param name="audience"><c>aud</c>: the API that the tokens are for.</param>
internal sealed class AccessTokenIssuer(string issuer, string audience)
{
    /// <summary>Writes and signs a token. It is a bearer secret: never log it.</summary>
    /// <exception cref="ArgumentException">The token could not be read again: an empty or ill-formed value, times out
    /// of order, or too much for <see cref="Jws.MaxLength"/>.</exception>
    public string Issue(AccessToken token, SigningKey key)
    {
        ArgumentException.ThrowIfNullOrEmpty(token.ClientId, nameof(token));
        if (token.ExpiresAt.ToUnixTimeSeconds() <= token.NotBefore.ToUnixTimeSeconds())
            throw new ArgumentException("The token would expire before it is valid.", nameof(token));
        if (token.Roles.Any(string.IsNullOrEmpty))
            throw new ArgumentException("A role is empty.", nameof(token));
        if (!token.Scopes.All(scope => AccessTokenClaims.IsScope(scope)))
            throw new ArgumentException("A scope is not a scope-token of RFC 6749.", nameof(token));

        var claims = new ArrayBufferWriter<byte>();
        AccessTokenClaims.Write(claims, token, issuer, audience);
        return Jws.Sign(key, claims.WrittenSpan, AccessToken.Type);
    }
}
