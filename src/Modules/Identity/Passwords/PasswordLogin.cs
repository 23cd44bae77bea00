using Microsoft.AspNetCore.Http;
using Npgsql;
using Verbatim.Modules.Identity.Lockouts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>What came of an address and a password.</summary>
internal abstract record PasswordProof
{
    private PasswordProof() { }

    /// <summary>They are somebody's. The attempt still counts as failed: whoever goes on says how it ended.</summary>
    internal sealed record Right(Account Account, GuardedAttempt Attempt) : PasswordProof;

    /// <summary>They are nobody's.</summary>
    internal sealed record Wrong : PasswordProof;

    /// <summary>Nothing was looked at.</summary>
    internal sealed record TooMany(TimeSpan RetryAfter) : PasswordProof;
}

/// <summary>Finds out whether an address and a password are somebody's: the same for the API and for pages.</summary>
[Singleton]
internal sealed class PasswordLogin(PasswordStore passwords, PasswordHashing hashing, LoginGuard guard)
{
    /// <summary>Counts the attempt, looks, and records it when it fails.</summary>
    /// <exception cref="BusyException">More passwords wait than can be hashed soon.</exception>
    public async Task<PasswordProof> ProveAsync(
        HttpContext http,
        string email,
        string password,
        CancellationToken cancellationToken
    )
    {
        hashing.ThrowIfBusy();
        var key = await passwords.HashEmailAsync(email, cancellationToken);
        var (attempt, retryAfter) = await guard.BeginAsync(http, key, cancellationToken);
        if (attempt is null)
            return new PasswordProof.TooMany(retryAfter);
        var found = await guard.LookAsync(attempt, () => passwords.FindHashAsync(key, cancellationToken));
        var check = await guard.LookAsync(attempt, () => hashing.CheckAsync(found?.Hash, password, cancellationToken));
        var account =
            check == PasswordCheck.Wrong
                ? null
                // It was right: whoever leaves now has not failed.
                : await guard.LookAsync(attempt, () => passwords.FindByIdAsync(found!.UserId, CancellationToken.None));
        if (account is null)
        {
            await guard.FailedAsync(http, attempt, found?.TenantId, found?.UserId, cancellationToken);
            return new PasswordProof.Wrong();
        }
        if (check == PasswordCheck.RightAndOutdated)
            await ImproveAsync(account, password);
        return new PasswordProof.Right(account, attempt);
    }

    // The better hash can be made at another login.
    private async Task ImproveAsync(Account account, string password)
    {
        try
        {
            var hash = await hashing.HashAsync(password, CancellationToken.None);
            await passwords.ImproveAsync(account, hash, CancellationToken.None);
        }
        catch (Exception e) when (e is BusyException or NpgsqlException or LogUnavailableException) { }
    }
}
