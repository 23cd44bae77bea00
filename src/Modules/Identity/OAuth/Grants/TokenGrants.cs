using Microsoft.AspNetCore.Http;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.OAuth.Authorization;
using Verbatim.Modules.Identity.OAuth.Clients;
using Verbatim.Modules.Identity.OAuth.Consents;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.OAuth.Grants;

/// <summary>Exchanges what a client brings for tokens: a code, a refresh token, or nothing but itself.</summary>
[Singleton]
internal sealed class TokenGrants(
    AuthorizationCodes codes,
    ConsentRecords consents,
    LoginStarter logins,
    LoginEnder ender,
    LoginSettings settings,
    RefreshTokens refreshTokens,
    AccessTokens accessTokens,
    IdTokens idTokens,
    Principals principals,
    DocumentStore documents,
    IdSource ids,
    TimeProvider time
)
{
    // One answer for all that can be wrong with a code: which it was helps nobody but a thief.
    private static readonly OAuthError WrongCode = OAuthError.Grant(
        "The code is unknown, has ended, was used before, or is not this client's with this redirect_uri and code_verifier."
    );

    /// <summary>RFC 6749 §4.1.3 with RFC 7636 §4.5.</summary>
    public async Task<(TokenResponse? Response, OAuthError? Error)> ExchangeCodeAsync(
        HttpContext http,
        KnownClient client,
        OAuthParameters form,
        CancellationToken cancellationToken
    )
    {
        if (form["code"] is not { } code || form["redirect_uri"] is not { } redirectUri)
            return (null, OAuthError.Malformed("code and redirect_uri are needed."));
        if (form["code_verifier"] is not { } verifier)
            return (null, OAuthError.Malformed("code_verifier is needed: every client uses PKCE."));
        if (!AuthorizationCodes.LooksLikeOne(code) || await codes.FindAsync(code, cancellationToken) is not { } stored)
            return (null, WrongCode);
        if (
            stored.ClientId != client.Id
            || stored.RedirectUri != redirectUri
            || !ProofKey.Matches(stored.CodeChallenge, verifier)
        )
            return (null, WrongCode);
        if (stored.UsedAt is not null)
            return await RefuseReusedAsync(http, stored, cancellationToken);
        var now = time.GetUtcNow();
        if (
            stored.ValidUntil <= now
            || await FindRoleAsync(stored, now, cancellationToken) is not { } role
            || !await IsStillAgreedAsync(stored, client, cancellationToken)
        )
            return (null, WrongCode);

        var id = ids.New();
        try
        {
            var login = await logins.StartAsync(
                http,
                new NewLogin
                {
                    Id = id,
                    TenantId = stored.TenantId,
                    UserId = stored.UserId,
                    Role = role,
                    Method = LoginMethod.Application,
                    Factors = stored.Factors,
                    ClientId = client.Id.ToString(),
                    Scopes = stored.Scopes,
                    Credential = client.Settings.Takes(OAuthWords.RefreshToken)
                        ? LoginCredential.RefreshToken
                        : LoginCredential.AccessToken,
                },
                [AuthorizationCodes.Use(code, id, now)],
                cancellationToken
            );
            var idToken = stored.Scopes.Contains(OAuthWords.OpenId, StringComparer.Ordinal)
                ? idTokens.Issue(stored, login.Id, login.AccessToken!)
                : null;
            return (TokenResponse.From(login, idToken), null);
        }
        catch (PostgresException e) when (e.SqlState == AuthorizationCodes.AlreadyUsed)
        {
            // Somebody else was faster; they have a login by now, which ends with this.
            var used = await codes.FindAsync(code, cancellationToken);
            return used is null ? (null, WrongCode) : await RefuseReusedAsync(http, used, cancellationToken);
        }
    }

    /// <summary>RFC 6749 §6, with the rotation of RFC 9700 §4.14.2.</summary>
    public async Task<(TokenResponse? Response, OAuthError? Error)> RefreshAsync(
        HttpContext http,
        KnownClient client,
        OAuthParameters form,
        CancellationToken cancellationToken
    )
    {
        if (form["refresh_token"] is not { } token)
            return (null, OAuthError.Malformed("refresh_token is needed."));
        IReadOnlyList<string>? scopes = null;
        if (form["scope"] is { } scopeText && (scopes = OAuthScopes.Parse(scopeText)) is null)
            return (null, OAuthError.Scope("scope is malformed."));
        var outcome = await refreshTokens.RefreshAsync(http, token, client.Id.ToString(), scopes, cancellationToken);
        return outcome switch
        {
            RefreshOutcome.Refreshed refreshed => (TokenResponse.From(refreshed.Started, idToken: null), null),
            RefreshOutcome.TooMuch => (null, OAuthError.Scope("More is asked for than was granted.")),
            _ => (
                null,
                OAuthError.Grant("The refresh token is unknown, has ended, was used before, or is not this client's.")
            ),
        };
    }

    /// <summary>RFC 6749 §4.4.</summary>
    public async Task<(TokenResponse? Response, OAuthError? Error)> IssueToClientAsync(
        HttpContext http,
        KnownClient client,
        OAuthParameters form,
        CancellationToken cancellationToken
    )
    {
        var registered = client.Settings.Scopes.Except(OAuthWords.IdentityScopes, StringComparer.Ordinal).ToList();
        var asked = registered;
        if (form["scope"] is { } scopeText)
        {
            if (OAuthScopes.Parse(scopeText) is not { } scopes)
                return (null, OAuthError.Scope("scope is malformed."));
            if (scopes.Any(s => !registered.Contains(s, StringComparer.Ordinal)))
                return (null, OAuthError.Scope("The client is not registered for one of the scopes."));
            asked = [.. scopes];
        }
        var now = time.GetUtcNow();
        if (
            await principals.FindRoleAsync(
                client.TenantId,
                client.Id,
                loginId: null,
                clientId: null,
                now,
                cancellationToken
            )
            is not { } role
        )
            return (null, OAuthError.Client("The client or its organization is suspended."));

        var granted = LoginStarter.ScopesOf(role, asked);
        var token = new AccessToken
        {
            Id = ids.New(),
            Subject = client.Id,
            OrganizationId = client.TenantId,
            ClientId = client.Id.ToString(),
            Roles = [RoleScopes.NameOf(role)],
            Scopes = [.. granted],
            IssuedAt = now,
            NotBefore = now,
            ExpiresAt = now + settings.AccessToken,
        };
        await documents.CreateAsync(
            new AppendContext(client.TenantId, $"client:{client.Id}", RequestId.Of(http)),
            [documents.New<ClientToken>(token.Id, new ClientTokenIssued(client.Id, granted, token.ExpiresAt))],
            [],
            cancellationToken
        );
        return (
            new TokenResponse(
                accessTokens.Issue(token),
                "Bearer",
                (int)settings.AccessToken.TotalSeconds,
                OAuthScopes.Write(granted)
            ),
            null
        );
    }

    // Both must still hold: the membership in the client's organization, and the login under which the person agreed.
    private async Task<Role?> FindRoleAsync(StoredCode code, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (
            await principals.FindRoleAsync(
                code.Granted.TenantId,
                code.UserId,
                code.Granted.LoginId,
                clientId: null,
                now,
                cancellationToken
            )
            is null
        )
            return null;
        return await principals.FindRoleAsync(
            code.TenantId,
            code.UserId,
            loginId: null,
            code.ClientId,
            now,
            cancellationToken
        );
    }

    private async Task<bool> IsStillAgreedAsync(
        StoredCode code,
        KnownClient client,
        CancellationToken cancellationToken
    )
    {
        if (client.Settings.IsFirstParty)
            return true;
        var consent = await consents.FindAsync(code.TenantId, code.UserId, code.ClientId, cancellationToken);
        return consent?.Value.Covers(code.Scopes) is true;
    }

    // RFC 6749 §4.1.2, RFC 9700 §2.1.1: what came of the first use ends, since one of the two who had the code is a thief.
    private async Task<(TokenResponse? Response, OAuthError? Error)> RefuseReusedAsync(
        HttpContext http,
        StoredCode code,
        CancellationToken cancellationToken
    )
    {
        if (code.LoginId is { } loginId)
            await ender.EndAsync(
                new AppendContext(code.TenantId, $"client:{code.ClientId}", RequestId.Of(http))
                {
                    Subject = code.UserId,
                },
                loginId,
                LoginEndReason.CodeReused,
                cancellationToken
            );
        return (null, WrongCode);
    }
}
