using Npgsql;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Pages;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.PasswordResets;

/// <summary>Makes and takes the tokens of links with which people choose a new password.</summary>
[Singleton]
internal sealed class ResetTokens(Database database, EventStore events, Issuer issuer, IdSource ids, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    private const string Start = "vp_";

    /// <summary>Raised by <c>identity.use_password_reset</c>.</summary>
    public const string UsedBefore = "VB007";

    /// <summary>Makes a link and records that there is one; of earlier ones of the person none works any more.</summary>
    public async Task<(Uri Link, DateTimeOffset ExpiresAt)> OfferAsync(
        AppendContext context,
        Account account,
        bool byMail,
        CancellationToken cancellationToken
    )
    {
        var token = OpaqueSecret.New(Start);
        var expiresAt = time.GetUtcNow() + Lifetime;
        await events.AppendAsync(
            context with
            {
                TenantId = account.TenantId,
                IfMatch = null,
            },
            [
                new StreamEvents(
                    "password-reset",
                    ids.New(),
                    0,
                    [new PasswordResetOffered(account.UserId, byMail, expiresAt)]
                ),
            ],
            [
                new SqlWrite(
                    "delete from identity.password_resets where user_id = $1 or expires_at < $2",
                    account.UserId,
                    time.GetUtcNow().UtcDateTime
                ),
                new SqlWrite(
                    "insert into identity.password_resets (hash, user_id, expires_at) values ($1, $2, $3)",
                    SecretHash.Of(token).ToArray(),
                    account.UserId,
                    expiresAt.UtcDateTime
                ),
            ],
            cancellationToken
        );
        return (new Uri(issuer.Locate($"{ResetPages.ChoosePath}?{ResetPages.TokenField}={token}")), expiresAt);
    }

    /// <summary>Whose password a token lets choose; null when it lets nobody's.</summary>
    public async Task<Guid?> FindAsync(string? token, CancellationToken cancellationToken)
    {
        if (token is null || !OpaqueSecret.LooksLikeOne(token, Start))
            return null;
        await using var command = database.Writes.CreateCommand(
            "select user_id from identity.password_resets where hash = $1 and expires_at > $2"
        );
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = SecretHash.Of(token).ToArray() });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = time.GetUtcNow().UtcDateTime });
        return await command.ExecuteScalarAsync(cancellationToken) as Guid?;
    }

    /// <summary>The statement that uses a token up, all others of the person with it; it fails where the token was used before.</summary>
    public static SqlWrite Use(string token, Guid userId) =>
        new("select identity.use_password_reset($1, $2)", SecretHash.Of(token).ToArray(), userId);
}
