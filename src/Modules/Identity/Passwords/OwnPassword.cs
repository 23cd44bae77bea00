using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Verbatim.Modules.Identity.Lockouts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>
/// Asks a person who is logged in for their password once more, before something that a thief of the login must not be able to do. Wrong ones
/// count as failed attempts to log in.
/// </summary>
[Singleton]
internal sealed class OwnPassword(PasswordStore passwords, PasswordHashing hashing, LoginGuard guard)
{
    public static readonly HttpError Wrong = new(403, "identity.wrong-password", "The current password is wrong.");

    public static readonly HttpError NoAccount = new(
        404,
        "identity.user-not-found",
        "There is no such account, or it has no password."
    );

    /// <summary>The account, or what to answer.</summary>
    public async Task<(Account? Account, ProblemHttpResult? Refusal)> ProveAsync(
        HttpContext http,
        Caller caller,
        string password,
        CancellationToken cancellationToken
    )
    {
        if (await passwords.FindByIdAsync(caller.PrincipalId, cancellationToken) is not { } account)
            return (null, Problems.Create(NoAccount));
        var key = await passwords.HashEmailAsync(account.Email, cancellationToken);
        var (attempt, retryAfter) = await guard.BeginAsync(http, key, cancellationToken);
        if (attempt is null)
            return (null, LoginGuard.Refuse(http, retryAfter));
        var check = await guard.LookAsync(
            attempt,
            () => hashing.CheckAsync(account.PasswordHash, password, cancellationToken)
        );
        if (check == PasswordCheck.Wrong)
        {
            await guard.FailedAsync(http, attempt, account.TenantId, account.UserId, cancellationToken);
            return (null, Problems.Create(Wrong));
        }
        // Not a success that starts the count afresh: with a second factor the password alone must not.
        await guard.TakeBackAsync(attempt);
        return (account, null);
    }
}
