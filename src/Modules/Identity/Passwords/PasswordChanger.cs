using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>Gives a person a new password and ends their other logins, however they have proved that they may: the one place that does.</summary>
[Singleton]
internal sealed class PasswordChanger(
    PasswordHashing hashing,
    DocumentStore store,
    LoginEnder logins,
    Standings standings
)
{
    /// <summary>Checks the new password, keeps it, and ends the logins that the old one had started.</summary>
    /// <param name="context">Who changes it; its organization is replaced by the person's home.</param>
    /// <param name="account">Whose it is.</param>
    /// <param name="password">The new password.</param>
    /// <param name="except">The login that goes on, or null.</param>
    /// <param name="also">Statements for the same transaction.</param>
    /// <param name="cancellationToken">Gives up before anything is changed.</param>
    /// <returns>Why it is not taken, or null.</returns>
    public async Task<Refusal?> ChangeAsync(
        AppendContext context,
        Account account,
        string password,
        Guid? except,
        IReadOnlyList<SqlWrite> also,
        CancellationToken cancellationToken
    )
    {
        var home = await store.LoadAsync<Organization>(
            Access.ToAll(account.TenantId),
            account.TenantId,
            cancellationToken
        );
        if (PasswordRules.Check(password, account.Email, home?.Value.Name) is { } weakness)
            return weakness;

        var hash = await hashing.HashAsync(password, cancellationToken);
        var atHome = context with { TenantId = account.TenantId, IfMatch = null };
        var outcome = await store.DecideAsync<User>(
            atHome,
            account.UserId,
            user =>
                user is null
                    ? Decision.Refuse(RefusalKind.NotFound, OwnPassword.NoAccount.Code, OwnPassword.NoAccount.Message)
                    : Decision
                        .Append(new PasswordChanged())
                        .AlsoWriting([PasswordStore.Replace(account.UserId, hash), .. also]),
            cancellationToken
        );
        if (outcome.Match<Refusal?>(_ => null, refusal => refusal) is { } refused)
            return refused;
        standings.Forget(account.UserId);
        // Once it is changed, a client that goes away must not keep the old logins alive.
        await logins.EndAllAsync(
            atHome with
            {
                Also = null,
            },
            account.UserId,
            except,
            LoginEndReason.PasswordChanged,
            CancellationToken.None
        );
        return null;
    }
}
