using Microsoft.AspNetCore.Http;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>What came of a refresh token.</summary>
internal abstract record RefreshOutcome
{
    /// <summary>New tokens.</summary>
    internal sealed record Refreshed(Login Login, StartedLogin Started, Guid TenantId) : RefreshOutcome;

    /// <summary>The token is nobody's, has ended, was used before, or its login is over. Which of these is not told.</summary>
    internal sealed record Refused : RefreshOutcome;

    /// <summary>The scopes asked for are more than were granted.</summary>
    internal sealed record TooMuch : RefreshOutcome;
}

/// <summary>
/// Refresh tokens: each works once and is exchanged for the next (RFC 9700 §4.14.2). One that comes back after it was used ends the login,
/// since it cannot be told whether the thief has the old one or the new one.
/// </summary>
[Singleton]
internal sealed class RefreshTokens(
    Database database,
    DocumentStore documents,
    LoginStarter logins,
    LoginEnder ender,
    Principals principals,
    LoginSettings settings,
    TimeProvider time
)
{
    private const string Start = "vr_";

    // Raised by identity.use_refresh_token.
    private const string AlreadyUsed = "VB006";

    private static readonly RefreshOutcome Refused = new RefreshOutcome.Refused();

    public static string New() => OpaqueSecret.New(Start);

    public static bool LooksLikeOne(ReadOnlySpan<char> text) => OpaqueSecret.LooksLikeOne(text, Start);

    /// <summary>The statement that stores a token's hash, for the transaction of the event that it is made with.</summary>
    public static SqlWrite Store(Guid tenantId, Guid loginId, string token, DateTimeOffset expiresAt) =>
        new(
            "insert into identity.refresh_tokens (hash, tenant_id, login_id, expires_at) values ($1, $2, $3, $4)",
            SecretHash.Of(token).ToArray(),
            tenantId,
            loginId,
            expiresAt.UtcDateTime
        );

    /// <summary>Exchanges a token.</summary>
    /// <param name="http">The request that it came with.</param>
    /// <param name="token">As it came.</param>
    /// <param name="clientId">The OAuth client that brings it; null for Verbatim's own.</param>
    /// <param name="scopes">Fewer scopes for the new access token; null for all that were granted.</param>
    /// <param name="cancellationToken">Gives up before anything is recorded.</param>
    public async Task<RefreshOutcome> RefreshAsync(
        HttpContext http,
        string token,
        string? clientId,
        IReadOnlyList<string>? scopes,
        CancellationToken cancellationToken
    )
    {
        if (!LooksLikeOne(token) || await FindAsync(token, cancellationToken) is not { } found)
            return Refused;
        var (tenantId, loginId, expiresAt, usedAt) = found;
        if (
            await documents.LoadAsync<Login>(Access.ToAll(tenantId), loginId, cancellationToken)
            is not { Value: var login }
        )
            return Refused;
        // Of another client: whoever brings it did not get it from us, but the rightful client must not be punished for that.
        if (login.ClientId != clientId)
            return Refused;

        var now = time.GetUtcNow();
        var context = new AppendContext(tenantId, $"user:{login.UserId}", RequestId.Of(http))
        {
            Subject = login.UserId,
        };
        if (usedAt < now - settings.ReuseLeeway)
            return await RefuseReusedAsync(context, loginId, cancellationToken);
        if (!login.IsActive(now) || expiresAt <= now)
            return Refused;
        var client = Guid.TryParseExact(clientId, "D", out var application) ? application : (Guid?)null;
        if (
            await principals.FindRoleAsync(tenantId, login.UserId, loginId, client, now, cancellationToken)
            is not { } role
        )
            return Refused;
        if (
            scopes is not null
            && login.Scopes is not null
            && scopes.Any(s => !login.Scopes.Contains(s, StringComparer.Ordinal))
        )
            return new RefreshOutcome.TooMuch();

        var next = New();
        try
        {
            var outcome = await documents.DecideAsync<Login>(
                context,
                loginId,
                current =>
                    current!.IsActive(now)
                        ? Decision
                            .Append(new LoginRefreshed(now))
                            .AlsoWriting(
                                new SqlWrite(
                                    "select identity.use_refresh_token($1, $2, $3)",
                                    SecretHash.Of(token).ToArray(),
                                    now.UtcDateTime,
                                    settings.ReuseLeeway
                                ),
                                Store(tenantId, loginId, next, logins.RefreshEnd(now, current.EndsAt))
                            )
                        : LoginEnder.AlreadyOver,
                cancellationToken
            );
            if (!outcome.IsSuccess)
                return Refused;
        }
        catch (PostgresException e) when (e.SqlState == AlreadyUsed)
        {
            return await RefuseReusedAsync(context, loginId, cancellationToken);
        }

        var granted = LoginStarter.ScopesOf(role, scopes ?? login.Scopes);
        var started = new StartedLogin(
            loginId,
            logins.IssueAccessToken(loginId, tenantId, login.UserId, role, clientId, granted, now),
            settings.AccessToken,
            next,
            granted,
            AntiforgeryToken: null
        );
        return new RefreshOutcome.Refreshed(login, started, tenantId);
    }

    /// <summary>The login that a token belongs to, whether or not it still works; null when the token is nobody's.</summary>
    public async Task<(Guid TenantId, Guid LoginId, DateTimeOffset ExpiresAt, DateTimeOffset? UsedAt)?> FindAsync(
        string token,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.Writes.CreateCommand(
            "select tenant_id, login_id, expires_at, used_at from identity.refresh_tokens where hash = $1"
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = SecretHash.Of(token).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? (
                reader.GetGuid(0),
                reader.GetGuid(1),
                reader.GetFieldValue<DateTimeOffset>(2),
                await reader.IsDBNullAsync(3, cancellationToken) ? null : reader.GetFieldValue<DateTimeOffset>(3)
            )
            : null;
    }

    private async Task<RefreshOutcome> RefuseReusedAsync(
        AppendContext context,
        Guid loginId,
        CancellationToken cancellationToken
    )
    {
        await ender.EndAsync(context, loginId, LoginEndReason.RefreshTokenReused, cancellationToken);
        return Refused;
    }
}
