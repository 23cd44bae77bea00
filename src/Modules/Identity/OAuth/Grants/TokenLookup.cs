using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Grants;

/// <summary>A token that somebody shows to the revocation or introspection endpoint.</summary>
internal abstract record ShownToken
{
    /// <summary>An access token whose signature and times are right.</summary>
    internal sealed record Access(AccessToken Token, bool IsActive) : ShownToken;

    /// <summary>A refresh token that was given out.</summary>
    internal sealed record Refresh(Guid TenantId, Guid LoginId, Login Login, DateTimeOffset ExpiresAt, bool IsActive)
        : ShownToken;
}

/// <summary>Finds out what a token is, whatever its sort.</summary>
[Singleton]
internal sealed class TokenLookup(
    AccessTokens accessTokens,
    RefreshTokens refreshTokens,
    DocumentStore documents,
    TimeProvider time
)
{
    /// <summary>The token, or null when it is none of ours or, as a JWT, has ended.</summary>
    public async Task<ShownToken?> FindAsync(string token, CancellationToken cancellationToken)
    {
        if (!RefreshTokens.LooksLikeOne(token))
            return accessTokens.Read(token) is { } access
                ? new ShownToken.Access(
                    access,
                    await accessTokens.AuthenticateAsync(token, cancellationToken)
                        is {
                            Succeeded: true,
                            // What can do nothing here yet must not do anything elsewhere.
                            Principal.Identity: CallerIdentity { Caller.Pending: null }
                        }
                )
                : null;
        if (await refreshTokens.FindAsync(token, cancellationToken) is not { } found)
            return null;
        var login = await documents.LoadAsync<Login>(
            Platform.Events.Access.ToAll(found.TenantId),
            found.LoginId,
            cancellationToken
        );
        var now = time.GetUtcNow();
        return login is null
            ? null
            : new ShownToken.Refresh(
                found.TenantId,
                found.LoginId,
                login.Value,
                found.ExpiresAt,
                found.UsedAt is null && found.ExpiresAt > now && login.Value.IsActive(now)
            );
    }
}
