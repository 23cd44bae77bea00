using System.Runtime.CompilerServices;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>Issues this installation's access tokens, and tells who stands behind one.</summary>
internal sealed class AccessTokens
{
    private const string Audience = "verbatim";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    private readonly Issuer _issuer;
    private readonly SigningKeys _keys;
    private readonly AccessTokenValidator _validator;

    // The validator gives the same object for the same token, so what follows from it is made once.
    private readonly ConditionalWeakTable<AccessToken, AuthenticateResult> _results = new();

    public AccessTokens(Issuer issuer, SigningKeys keys, TimeProvider time)
    {
        _issuer = issuer;
        _keys = keys;
        _validator = new AccessTokenValidator(issuer.Required, Audience, time, ClockSkew);
    }

    public string Issue(AccessToken token) =>
        new AccessTokenIssuer(_issuer.Value, Audience).Issue(token, _keys.Current);

    /// <summary>The result of authenticating with this token, or null when it is not a valid one.</summary>
    public AuthenticateResult? Authenticate(ReadOnlySpan<char> text)
    {
        if (!_validator.TryValidate(text, _keys.Public, out var token, out _))
            return null;
        return _results.GetValue(token, CreateResult);
    }

    private static AuthenticateResult CreateResult(AccessToken token)
    {
        var caller = new Caller(
            token.OrganizationId,
            $"user:{token.Subject}",
            token.Subject,
            token.Scopes.ToHashSet(StringComparer.Ordinal)
        );
        var principal = new ClaimsPrincipal(new CallerIdentity(caller, CredentialHandler.Scheme));
        return AuthenticateResult.Success(new AuthenticationTicket(principal, CredentialHandler.Scheme));
    }
}
