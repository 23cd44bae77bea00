using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>
/// Logins by cookie, for pages of Verbatim's own. An unsafe request proves besides that such a page made it: with a token that only they can
/// read, which is derived from the cookie, so that nothing has to be kept for it.
/// </summary>
[Singleton]
internal sealed class LoginCookies
{
    /// <summary>The header that carries the antiforgery token.</summary>
    public const string AntiforgeryHeader = "x-csrf-token";

    /// <summary>The form field that carries it, where a form cannot send headers.</summary>
    public const string AntiforgeryField = "csrf";

    private const string Start = "vl_";

    // Browsers take a cookie of this prefix only from https, for this very host and every path (RFC 6265bis §4.1.3.2).
    private const string SecureName = "__Host-verbatim";
    private const string PlainName = "verbatim";

    private readonly Database _database;
    private readonly OneTimePasswords _oneTimePasswords;
    private readonly CallerCache _callers;

    public LoginCookies(Database database, OneTimePasswords oneTimePasswords, Standings standings, TimeProvider time)
    {
        _database = database;
        _oneTimePasswords = oneTimePasswords;
        _callers = new CallerCache(standings, time, ReadAsync);
    }

    public static string New() => OpaqueSecret.New(Start);

    /// <summary>The cookie that a request brings, or null.</summary>
    public static string? Of(HttpRequest request) =>
        request.Cookies[NameFor(request)] is { } value && OpaqueSecret.LooksLikeOne(value, Start) ? value : null;

    /// <summary>Sets the cookie on the answer.</summary>
    public static void Set(HttpContext http, string secret, DateTimeOffset expiresAt) =>
        http.Response.Cookies.Append(NameFor(http.Request), secret, OptionsFor(http.Request, expiresAt));

    /// <summary>Has the browser forget the cookie.</summary>
    public static void Clear(HttpContext http) =>
        http.Response.Cookies.Delete(NameFor(http.Request), OptionsFor(http.Request, expiresAt: null));

    /// <summary>What unsafe requests with this cookie have to bring.</summary>
    public static string AntiforgeryTokenOf(string secret) =>
        WebEncoders.Base64UrlEncode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), "antiforgery"u8));

    /// <summary>Whether an unsafe request proves that a page of ours made it.</summary>
    public static async ValueTask<bool> IsOurPagesAsync(
        HttpRequest request,
        string secret,
        CancellationToken cancellationToken
    )
    {
        if (
            HttpMethods.IsGet(request.Method)
            || HttpMethods.IsHead(request.Method)
            || HttpMethods.IsOptions(request.Method)
        )
            return true;
        var given = request.Headers[AntiforgeryHeader].ToString();
        if (
            given.Length == 0
            && request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
                is true
        )
            given = await ReadFieldAsync(request, cancellationToken);
        return CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(given),
            Encoding.UTF8.GetBytes(AntiforgeryTokenOf(secret))
        );
    }

    // A form that cannot be read proves nothing; whoever it is for says what is wrong with it.
    private static async Task<string> ReadFieldAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return (await request.ReadFormAsync(cancellationToken))[AntiforgeryField].ToString();
        }
        catch (Exception e) when (e is InvalidDataException or BadHttpRequestException)
        {
            return "";
        }
    }

    /// <summary>The statement that stores a cookie's hash, for the transaction of the event that it is made with.</summary>
    public static SqlWrite Store(Guid tenantId, Guid loginId, string secret, DateTimeOffset expiresAt) =>
        new(
            "insert into identity.login_cookies (hash, tenant_id, login_id, expires_at) values ($1, $2, $3, $4)",
            SecretHash.Of(secret).ToArray(),
            tenantId,
            loginId,
            expiresAt.UtcDateTime
        );

    /// <summary>The result of authenticating with this cookie, or null when it is nobody's.</summary>
    public ValueTask<AuthenticateResult?> FindAsync(string secret, CancellationToken cancellationToken) =>
        _callers.FindAsync(SecretHash.Of(secret), cancellationToken);

    private async Task<FoundCaller?> ReadAsync(SecretHash hash, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = _database.Writes.CreateCommand(
            $"""
            select c.tenant_id, c.login_id, c.expires_at, p.id, p.role,
                case when json_typeof(l.data -> 'scopes') = 'array'
                    then array(select json_array_elements_text(l.data -> 'scopes')) end
            from identity.login_cookies c
            join documents.login l on l.tenant_id = c.tenant_id and l.id = c.login_id
            join {Principals.Active} p on p.tenant_id = c.tenant_id and p.id = (l.data ->> 'userId')::uuid
            where c.hash = $1 and c.expires_at > $2 and l.data ->> 'endedAt' is null
            """
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = hash.ToArray() });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = now.UtcDateTime });
        Guid tenantId;
        Guid loginId;
        Guid userId;
        DateTimeOffset expiresAt;
        Role role;
        string[]? granted;
        // Closed before the next look: whoever holds a connection must not wait for another of the same pool.
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken))
                return null;
            (tenantId, loginId, userId) = (reader.GetGuid(0), reader.GetGuid(1), reader.GetGuid(3));
            expiresAt = reader.GetFieldValue<DateTimeOffset>(2);
            role = Principals.RoleOf(reader.GetString(4));
            granted = await reader.IsDBNullAsync(5, cancellationToken) ? null : reader.GetFieldValue<string[]>(5);
        }
        var scopes = granted is null
            ? RoleScopes.Of(role)
            : RoleScopes.Of(role).Where(granted.Contains).ToFrozenSet(StringComparer.Ordinal);
        var pending = await _oneTimePasswords.PendingOfAsync(tenantId, loginId, cancellationToken);
        var caller = new Caller(tenantId, $"user:{userId}", userId, scopes)
        {
            Reach = pending is null ? RoleScopes.ReachOf(role) : Reach.Own,
            LoginId = loginId,
            Pending = pending,
        };
        return new FoundCaller(caller, expiresAt, [loginId, userId, tenantId]);
    }

    private static string NameFor(HttpRequest request) => request.IsHttps ? SecureName : PlainName;

    // Lax: the cookie comes with a link from elsewhere, as at the end of a login at another provider, but not with their forms and scripts.
    private static CookieOptions OptionsFor(HttpRequest request, DateTimeOffset? expiresAt) =>
        new()
        {
            HttpOnly = true,
            Secure = request.IsHttps,
            SameSite = SameSiteMode.Lax,
            Path = "/",
            Expires = expiresAt,
            IsEssential = true,
        };
}
