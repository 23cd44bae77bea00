using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Identity.LoginPolicies;
using Verbatim.Modules.Identity.OAuth;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>A login to start, after the person was authenticated.</summary>
internal sealed record NewLogin
{
    /// <summary>Its id, where statements of the same transaction name it; a new one if left out.</summary>
    public Guid? Id { get; init; }

    /// <summary>In which organization; the person is an active member of it.</summary>
    public required Guid TenantId { get; init; }

    /// <summary>The person.</summary>
    public required Guid UserId { get; init; }

    /// <summary>What they are there.</summary>
    public required Role Role { get; init; }

    /// <summary>How they proved who they are.</summary>
    public required LoginMethod Method { get; init; }

    /// <summary>The proofs, as <c>amr</c> (RFC 8176) names them.</summary>
    public required IReadOnlyList<string> Factors { get; init; }

    /// <summary>The OAuth client that is to act for them; null for Verbatim's own.</summary>
    public string? ClientId { get; init; }

    /// <summary>What it may do at most; null for all that the role may.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>What the login is given to go on with.</summary>
    public required LoginCredential Credential { get; init; }
}

/// <summary>What a login goes on with.</summary>
internal enum LoginCredential
{
    /// <summary>An access token, and nothing when it has ended.</summary>
    AccessToken,

    /// <summary>An access token and a refresh token.</summary>
    RefreshToken,

    /// <summary>A cookie.</summary>
    Cookie,
}

/// <summary>A login that has started, with its secrets. None of them is logged or recorded.</summary>
/// <param name="Id">The login.</param>
/// <param name="AccessToken">The access token; null for a login by cookie.</param>
/// <param name="ExpiresIn">How long it works.</param>
/// <param name="RefreshToken">The refresh token, if it was asked for.</param>
/// <param name="Scopes">What the access token may do.</param>
/// <param name="AntiforgeryToken">What a login by cookie sends with unsafe requests.</param>
internal sealed record StartedLogin(
    Guid Id,
    string? AccessToken,
    TimeSpan ExpiresIn,
    string? RefreshToken,
    IReadOnlyList<string> Scopes,
    string? AntiforgeryToken
)
{
    /// <summary>The organization asks for a second factor, and the person has none: this login can do nothing but set one up.</summary>
    public bool MustSetUpSecondFactor { get; init; }
}

/// <summary>Starts logins: the one place where a person's tokens and cookies come from.</summary>
[Singleton]
internal sealed class LoginStarter(
    DocumentStore documents,
    AccessTokens tokens,
    LoginPolicyGate policy,
    LoginSettings settings,
    IdSource ids,
    TimeProvider time
)
{
    /// <summary>The client id in access tokens that no OAuth client was given.</summary>
    public const string OwnClient = "verbatim";

    /// <summary>Records the login and makes its tokens; a cookie is set on the answer.</summary>
    /// <param name="http">The request that it starts with.</param>
    /// <param name="login">Who, where and how.</param>
    /// <param name="also">Statements for the transaction of the event.</param>
    /// <param name="cancellationToken">Gives up before anything is recorded.</param>
    public async Task<StartedLogin> StartAsync(
        HttpContext http,
        NewLogin login,
        IReadOnlyList<SqlWrite> also,
        CancellationToken cancellationToken
    )
    {
        var lacksFactor = await policy.LacksFactorAsync(login.TenantId, login.Factors, cancellationToken);
        if (lacksFactor)
            login = login with
            {
                Scopes =
                [
                    .. LoginPolicyGate.ScopesWithoutFactor.Where(s =>
                        login.Scopes?.Contains(s, StringComparer.Ordinal) is not false
                    ),
                ],
            };
        var id = login.Id ?? ids.New();
        var now = time.GetUtcNow();
        var origin = RequestOrigin.Of(http);
        var endsAt =
            now
            + login.Credential switch
            {
                LoginCredential.Cookie => settings.Cookie,
                LoginCredential.RefreshToken => settings.Longest,
                _ => settings.AccessToken,
            };
        var refreshToken = login.Credential == LoginCredential.RefreshToken ? RefreshTokens.New() : null;
        var cookie = login.Credential == LoginCredential.Cookie ? LoginCookies.New() : null;
        var writes = new List<SqlWrite>(also);
        if (refreshToken is not null)
            writes.Add(RefreshTokens.Store(login.TenantId, id, refreshToken, RefreshEnd(now, endsAt)));
        if (cookie is not null)
            writes.Add(LoginCookies.Store(login.TenantId, id, cookie, endsAt));

        var result = await documents.CreateAsync(
            new AppendContext(login.TenantId, $"user:{login.UserId}", RequestId.Of(http)) { Subject = login.UserId },
            [
                documents.New<Login>(
                    id,
                    new LoginSucceeded(
                        login.UserId,
                        login.Method,
                        login.Factors,
                        login.ClientId,
                        login.Scopes,
                        origin.Address,
                        origin.UserAgent,
                        now,
                        endsAt
                    )
                ),
            ],
            writes,
            cancellationToken
        );
        if (result.Conflict is not null)
            throw new InvalidOperationException("The id of the login exists already.");

        if (cookie is not null)
        {
            LoginCookies.Set(http, cookie, endsAt);
            return new StartedLogin(id, null, settings.Cookie, null, [], LoginCookies.AntiforgeryTokenOf(cookie))
            {
                MustSetUpSecondFactor = lacksFactor,
            };
        }
        var scopes = ScopesOf(login.Role, login.Scopes);
        return new StartedLogin(
            id,
            IssueAccessToken(id, login.TenantId, login.UserId, login.Role, login.ClientId, scopes, now),
            settings.AccessToken,
            refreshToken,
            scopes,
            AntiforgeryToken: null
        )
        {
            MustSetUpSecondFactor = lacksFactor,
        };
    }

    internal DateTimeOffset RefreshEnd(DateTimeOffset now, DateTimeOffset endsAt) =>
        now + settings.Idle < endsAt ? now + settings.Idle : endsAt;

    /// <summary>What a login with these scopes may do, for a person of this role.</summary>
    internal static IReadOnlyList<string> ScopesOf(Role role, IReadOnlyList<string>? granted) =>
        [
            .. RoleScopes
                .Of(role)
                .Where(s => granted is null || granted.Contains(s, StringComparer.Ordinal))
                // What an application may learn of the person opens no route, so no role grants it.
                .Concat(OAuthWords.IdentityScopes.Where(s => granted?.Contains(s, StringComparer.Ordinal) is true))
                .Order(StringComparer.Ordinal),
        ];

    internal string IssueAccessToken(
        Guid loginId,
        Guid tenantId,
        Guid userId,
        Role role,
        string? clientId,
        IReadOnlyList<string> scopes,
        DateTimeOffset now
    ) =>
        tokens.Issue(
            new AccessToken
            {
                Id = ids.New(),
                Subject = userId,
                OrganizationId = tenantId,
                ClientId = clientId ?? OwnClient,
                LoginId = loginId,
                Roles = [RoleScopes.NameOf(role)],
                Scopes = [.. scopes],
                IssuedAt = now,
                NotBefore = now,
                ExpiresAt = now + settings.AccessToken,
            }
        );
}
