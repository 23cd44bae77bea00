using Microsoft.AspNetCore.Http;
using Npgsql;
using Verbatim.Modules.Identity.Lockouts;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.PasswordResets;

/// <summary>Gives a person the password that they chose with the token of a link: the same for the API and for pages.</summary>
[Singleton]
internal sealed class PasswordResetter(ResetTokens tokens, PasswordStore passwords, PasswordChanger changer)
{
    public static readonly HttpError InvalidToken = new(
        422,
        "identity.invalid-reset-token",
        "The link was used before or has run out; ask for another."
    );

    /// <summary>Why it is not taken, or null. Ends all of the person's logins, and their account's delay.</summary>
    public async Task<HttpError?> ResetAsync(
        HttpContext http,
        string token,
        string password,
        CancellationToken cancellationToken
    )
    {
        if (
            await tokens.FindAsync(token, cancellationToken) is not { } userId
            || await passwords.FindByIdAsync(userId, cancellationToken) is not { } account
        )
            return InvalidToken;
        var context = new AppendContext(account.TenantId, $"user:{userId}", RequestId.Of(http)) { Subject = userId };
        var key = await passwords.HashEmailAsync(account.Email, cancellationToken);
        try
        {
            var weakness = await changer.ChangeAsync(
                context,
                account,
                password,
                except: null,
                [ResetTokens.Use(token, userId), LoginAttempts.Forget(key)],
                cancellationToken
            );
            return weakness is null ? null : new HttpError(422, weakness.Code, weakness.Message);
        }
        catch (PostgresException e) when (e.SqlState == ResetTokens.UsedBefore)
        {
            return InvalidToken;
        }
    }
}
