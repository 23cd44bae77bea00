using Npgsql;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>
/// A one-time password is known to whoever made it and wherever it was sent. So a login with one is good for choosing another, and for nothing
/// else: until that is done it is <see cref="Caller.Pending"/>.
/// </summary>
[Singleton]
internal sealed class OneTimePasswords(Database database)
{
    public static readonly HttpError ChangeFirst = new(
        403,
        "identity.password-change-required",
        "This login began with a one-time password: choose a password of your own with POST /api/auth/password, then go on."
    );

    /// <summary>What a login's person has to do before anything else, or null.</summary>
    public async Task<HttpError?> PendingOfAsync(Guid tenantId, Guid? loginId, CancellationToken cancellationToken)
    {
        if (loginId is null)
            return null;
        // Whoever has proved themself at another provider ('ext') has not used the password.
        await using var command = database.Writes.CreateCommand(
            """
            select exists (
                select from documents.login l
                join identity.passwords w on w.user_id = (l.data ->> 'userId')::uuid
                join documents.user u on u.tenant_id = w.tenant_id and u.id = w.user_id
                where l.tenant_id = $1 and l.id = $2 and u.data ->> 'mustChangePassword' = 'true'
                  and not exists (select from json_array_elements_text(l.data -> 'factors') f where f = 'ext')
            )
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = loginId.Value });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))! ? ChangeFirst : null;
    }
}
