using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Authentication;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.OAuth.Grants;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>Issues this installation's access tokens, and tells who stands behind one.</summary>
[Singleton]
internal sealed class AccessTokens
{
    private const string Audience = "verbatim";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    private readonly Issuer _issuer;
    private readonly SigningKeys _keys;
    private readonly Principals _principals;
    private readonly Standings _standings;
    private readonly RevokedTokens _revoked;
    private readonly OneTimePasswords _oneTimePasswords;
    private readonly TimeProvider _time;
    private readonly AccessTokenValidator _validator;

    // The validator gives the same object for the same token, so what follows from it is looked up once.
    private readonly ConditionalWeakTable<AccessToken, RememberedCaller> _remembered = new();

    public AccessTokens(
        Issuer issuer,
        SigningKeys keys,
        Principals principals,
        Standings standings,
        RevokedTokens revoked,
        OneTimePasswords oneTimePasswords,
        TimeProvider time
    )
    {
        _issuer = issuer;
        _keys = keys;
        _principals = principals;
        _standings = standings;
        _revoked = revoked;
        _oneTimePasswords = oneTimePasswords;
        _time = time;
        _validator = new AccessTokenValidator(issuer.Required, Audience, time, ClockSkew);
    }

    public string Issue(AccessToken token) =>
        new AccessTokenIssuer(_issuer.Value, Audience).Issue(token, _keys.Current);

    /// <summary>The token, if its signature, its claims and its times are right; whether it was revoked is not looked at.</summary>
    public AccessToken? Read(ReadOnlySpan<char> text) =>
        _validator.TryValidate(text, _keys.Public, out var token, out _) ? token : null;

    /// <summary>
    /// The result of authenticating with this token, or null when it is not a valid one, its login has ended, or its principal or
    /// organization is suspended.
    /// </summary>
    public ValueTask<AuthenticateResult?> AuthenticateAsync(
        ReadOnlySpan<char> text,
        CancellationToken cancellationToken
    )
    {
        if (!_validator.TryValidate(text, _keys.Public, out var token, out _))
            return ValueTask.FromResult<AuthenticateResult?>(null);
        var now = _time.GetUtcNow();
        if (_remembered.TryGetValue(token, out var known) && known.HoldsAt(now))
            return ValueTask.FromResult<AuthenticateResult?>(known.Result);
        return new ValueTask<AuthenticateResult?>(ReadAsync(token, now, cancellationToken));
    }

    private async Task<AuthenticateResult?> ReadAsync(
        AccessToken token,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var generation = _standings.Generation;
        var (tenantId, principalId) = (token.OrganizationId, token.Subject);
        var clientId = Guid.TryParseExact(token.ClientId, "D", out var client) ? client : (Guid?)null;
        if (
            await _principals.FindRoleAsync(tenantId, principalId, token.LoginId, clientId, now, cancellationToken)
            is not { } role
        )
            return null;
        // One of a login is revoked with it.
        if (token.LoginId is null && await _revoked.ContainsAsync(token.Id, cancellationToken))
            return null;

        // A token never does more than its principal may do now.
        var pending = await _oneTimePasswords.PendingOfAsync(tenantId, token.LoginId, cancellationToken);
        var caller = new Caller(
            tenantId,
            principalId == clientId ? $"client:{clientId}" : $"user:{principalId}",
            principalId,
            token.Scopes.Where(RoleScopes.Of(role).Contains).ToHashSet(StringComparer.Ordinal)
        )
        {
            Reach = pending is null ? RoleScopes.ReachOf(role) : Reach.Own,
            LoginId = token.LoginId,
            Pending = pending,
        };
        var restsOn = new List<Guid> { principalId, tenantId };
        restsOn.Insert(0, token.LoginId ?? token.Id);
        if (clientId is { } application && application != principalId)
            restsOn.Insert(0, application);
        var remembered = _standings.Remember(new FoundCaller(caller, token.ExpiresAt, restsOn), generation);
        _remembered.AddOrUpdate(token, remembered);
        return remembered.Result;
    }
}
