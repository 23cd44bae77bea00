using Microsoft.AspNetCore.Http;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.OAuth.Authorization;

/// <summary>A code that was given out, as it is kept.</summary>
internal sealed record StoredCode
{
    public required Guid TenantId { get; init; }

    public required Guid ClientId { get; init; }

    public required Guid UserId { get; init; }

    /// <summary>The login under which the person agreed, and its organization.</summary>
    public required (Guid TenantId, Guid LoginId) Granted { get; init; }

    public required string RedirectUri { get; init; }

    public required string CodeChallenge { get; init; }

    public required string? Nonce { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>How the person had proved who they are.</summary>
    public required IReadOnlyList<string> Factors { get; init; }

    /// <summary>When they had.</summary>
    public required DateTimeOffset AuthenticatedAt { get; init; }

    public required DateTimeOffset ValidUntil { get; init; }

    /// <summary>Null until it was used.</summary>
    public DateTimeOffset? UsedAt { get; init; }

    /// <summary>The login that it was exchanged for.</summary>
    public Guid? LoginId { get; init; }
}

/// <summary>
/// Authorization codes: each is good for a minute and for one use, by the one client, with the one redirect URI and proof key (RFC 6749
/// §4.1.2, RFC 7636). Only their hashes are kept.
/// </summary>
[Singleton]
internal sealed class AuthorizationCodes(Database database, DocumentStore documents, IdSource ids, TimeProvider time)
{
    private const string Start = "vc_";

    /// <summary>Raised by <c>identity.use_authorization_code</c>.</summary>
    public const string AlreadyUsed = "VB300";

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    // How long a second use is recognized; tokens that came of the first may live on for longer, but who waits a day has no minute's code.
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    /// <summary>Makes a code for what a person has agreed to.</summary>
    public async Task<string> IssueAsync(
        HttpContext http,
        AuthorizationDemand request,
        Guid userId,
        (Guid TenantId, Guid LoginId) granted,
        Login login,
        CancellationToken cancellationToken
    )
    {
        var code = OpaqueSecret.New(Start);
        var now = time.GetUtcNow();
        var store = new SqlWrite(
            """
            insert into identity.authorization_codes (
                hash, tenant_id, client_id, user_id, granted_tenant_id, granted_login_id, redirect_uri, code_challenge,
                nonce, scopes, factors, authenticated_at, valid_until, expires_at
            )
            values ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''), $10, $11, $12, $13, $14)
            """,
            SecretHash.Of(code).ToArray(),
            request.Client.TenantId,
            request.Client.Id,
            userId,
            granted.TenantId,
            granted.LoginId,
            request.RedirectUri,
            request.CodeChallenge,
            request.Nonce ?? "",
            request.Scopes.ToArray(),
            login.Factors.ToArray(),
            login.StartedAt.UtcDateTime,
            (now + Lifetime).UtcDateTime,
            (now + Kept).UtcDateTime
        );
        await documents.CreateAsync(
            new AppendContext(request.Client.TenantId, $"user:{userId}", RequestId.Of(http)) { Subject = userId },
            [
                documents.New<GrantedAuthorization>(
                    ids.New(),
                    new AuthorizationGranted(userId, request.Client.Id, request.Scopes, granted.LoginId, now)
                ),
            ],
            [store],
            cancellationToken
        );
        return code;
    }

    public static bool LooksLikeOne(string code) => OpaqueSecret.LooksLikeOne(code, Start);

    /// <summary>The code, whether or not it still works; null when there is none.</summary>
    public async Task<StoredCode?> FindAsync(string code, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            select tenant_id, client_id, user_id, granted_tenant_id, granted_login_id, redirect_uri, code_challenge, nonce,
                scopes, factors, authenticated_at, valid_until, used_at, login_id
            from identity.authorization_codes where hash = $1
            """
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = SecretHash.Of(code).ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        return new StoredCode
        {
            TenantId = reader.GetGuid(0),
            ClientId = reader.GetGuid(1),
            UserId = reader.GetGuid(2),
            Granted = (reader.GetGuid(3), reader.GetGuid(4)),
            RedirectUri = reader.GetString(5),
            CodeChallenge = reader.GetString(6),
            Nonce = await reader.IsDBNullAsync(7, cancellationToken) ? null : reader.GetString(7),
            Scopes = reader.GetFieldValue<string[]>(8),
            Factors = reader.GetFieldValue<string[]>(9),
            AuthenticatedAt = reader.GetFieldValue<DateTimeOffset>(10),
            ValidUntil = reader.GetFieldValue<DateTimeOffset>(11),
            UsedAt = await reader.IsDBNullAsync(12, cancellationToken)
                ? null
                : reader.GetFieldValue<DateTimeOffset>(12),
            LoginId = await reader.IsDBNullAsync(13, cancellationToken) ? null : reader.GetGuid(13),
        };
    }

    /// <summary>The statement that uses a code up, for the transaction of the login that it is exchanged for.</summary>
    /// <remarks>Fails with <see cref="AlreadyUsed"/> when it was used, or has ended.</remarks>
    public static SqlWrite Use(string code, Guid loginId, DateTimeOffset now) =>
        new(
            "select identity.use_authorization_code($1, $2, $3)",
            SecretHash.Of(code).ToArray(),
            now.UtcDateTime,
            loginId
        );
}
