using Microsoft.AspNetCore.Http;
using Verbatim.Modules.Identity.Lockouts;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Modules.Identity.TwoFactor;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Logins;

/// <summary>Where a login stands after one more proof.</summary>
internal abstract record LoginStep
{
    private LoginStep() { }

    /// <summary>The person is in.</summary>
    internal sealed record Started(StartedLogin Login, Guid TenantId, bool MustChangePassword) : LoginStep;

    /// <summary>What was typed is wrong.</summary>
    internal sealed record Wrong : LoginStep;

    /// <summary>Nothing was looked at, since too much was wrong before.</summary>
    internal sealed record TooMany(TimeSpan RetryAfter) : LoginStep;

    /// <summary>A second factor is to be proved.</summary>
    internal sealed record NeedsFactor(string Challenge) : LoginStep;

    /// <summary>The person belongs to several organizations, and is to say in which they act.</summary>
    internal sealed record NeedsOrganization(string Challenge, IReadOnlyList<Membership> Choices) : LoginStep;

    /// <summary>The person is no active member of the organization that was asked for, or of any.</summary>
    internal sealed record NoMembership : LoginStep;

    /// <summary>What was proved before is too long ago.</summary>
    internal sealed record Expired : LoginStep;
}

/// <summary>How a person wants to go on after their proofs.</summary>
/// <param name="OrganizationId">The organization, or null.</param>
/// <param name="ByCookie">By cookie, and not by tokens.</param>
/// <param name="MayChoose">Whether a person of several organizations is asked; otherwise the oldest is taken.</param>
internal sealed record LoginWish(Guid? OrganizationId, bool ByCookie, bool MayChoose);

/// <summary>The steps of a login with a password: the same for the API and for pages.</summary>
[Singleton]
internal sealed class LoginFlow(
    PasswordLogin passwords,
    PasswordStore accounts,
    SecondFactors factors,
    FactorProof factorProof,
    LoginGuard guard,
    LoginChallenges challenges,
    Memberships memberships,
    LoginStarter logins
)
{
    private const string PasswordFactor = "pwd";

    /// <summary>The first step: an address and a password.</summary>
    public async Task<LoginStep> BeginAsync(
        HttpContext http,
        string email,
        string password,
        LoginWish wish,
        CancellationToken cancellationToken
    )
    {
        var proof = await passwords.ProveAsync(http, email, password, cancellationToken);
        if (proof is PasswordProof.TooMany { RetryAfter: var wait })
            return new LoginStep.TooMany(wait);
        if (proof is not PasswordProof.Right { Account: var account, Attempt: var attempt })
            return new LoginStep.Wrong();
        if (
            // What was proved is settled, whether the person still waits or not.
            await guard.LookAsync(attempt, () => factors.FindEnabledAsync(account.UserId, CancellationToken.None))
            is not null
        )
        {
            // Not a success yet: with the password alone the codes could be tried without end.
            await guard.TakeBackAsync(attempt);
            return new LoginStep.NeedsFactor(
                challenges.Seal(
                    new LoginChallenge(
                        account.UserId,
                        [PasswordFactor],
                        NeedsFactor: true,
                        wish.OrganizationId,
                        wish.ByCookie,
                        challenges.EndOfNew
                    )
                )
            );
        }
        await guard.SucceededAsync(attempt);
        return await EnterAsync(http, account, [PasswordFactor], wish, cancellationToken);
    }

    /// <summary>The second step: a code of the authenticator, or a recovery code.</summary>
    public async Task<LoginStep> ProveFactorAsync(
        HttpContext http,
        string challenge,
        string code,
        bool mayChoose,
        CancellationToken cancellationToken
    )
    {
        if (challenges.Open(challenge) is not { NeedsFactor: true } opened)
            return new LoginStep.Expired();
        // The factor or the account may be gone since.
        if (
            await factors.FindEnabledAsync(opened.UserId, cancellationToken) is not { } factor
            || await accounts.FindByIdAsync(opened.UserId, cancellationToken) is not { } account
        )
            return new LoginStep.Expired();
        var key = await accounts.HashEmailAsync(account.Email, cancellationToken);
        var (attempt, retryAfter) = await guard.BeginAsync(http, key, cancellationToken);
        if (attempt is null)
            return new LoginStep.TooMany(retryAfter);
        var context = new AppendContext(account.TenantId, $"user:{account.UserId}", RequestId.Of(http))
        {
            Subject = account.UserId,
        };
        var proved = await guard.LookAsync(
            attempt,
            () => factorProof.ProveAsync(context, factor, code, CancellationToken.None)
        );
        if (proved is null)
        {
            await guard.FailedAsync(http, attempt, account.TenantId, account.UserId, cancellationToken);
            return new LoginStep.Wrong();
        }
        await guard.SucceededAsync(attempt);
        return await EnterAsync(
            http,
            account,
            [.. opened.Factors, proved, "mfa"],
            new LoginWish(opened.OrganizationId, opened.ByCookie, mayChoose),
            cancellationToken
        );
    }

    /// <summary>The last step, for a person of several organizations.</summary>
    public async Task<LoginStep> ChooseAsync(
        HttpContext http,
        string challenge,
        Guid organizationId,
        CancellationToken cancellationToken
    )
    {
        if (
            challenges.Open(challenge) is not { NeedsFactor: false } opened
            || await accounts.FindByIdAsync(opened.UserId, cancellationToken) is not { } account
        )
            return new LoginStep.Expired();
        var wish = new LoginWish(organizationId, opened.ByCookie, MayChoose: false);
        return await EnterAsync(http, account, opened.Factors, wish, cancellationToken);
    }

    private async Task<LoginStep> EnterAsync(
        HttpContext http,
        Account account,
        IReadOnlyList<string> proofs,
        LoginWish wish,
        CancellationToken cancellationToken
    )
    {
        var mine = (await memberships.ListAsync(account.UserId, cancellationToken))
            .Where(m => m.IsActive && (wish.OrganizationId is null || m.TenantId == wish.OrganizationId))
            .ToList();
        if (mine.Count == 0)
            return new LoginStep.NoMembership();
        if (mine.Count > 1 && wish.MayChoose)
            return new LoginStep.NeedsOrganization(
                challenges.Seal(
                    new LoginChallenge(
                        account.UserId,
                        proofs,
                        NeedsFactor: false,
                        OrganizationId: null,
                        wish.ByCookie,
                        challenges.EndOfNew
                    )
                ),
                mine
            );
        var login = await logins.StartAsync(
            http,
            new NewLogin
            {
                TenantId = mine[0].TenantId,
                UserId = account.UserId,
                Role = mine[0].Role,
                Method = LoginMethod.Password,
                Factors = proofs,
                Credential = wish.ByCookie ? LoginCredential.Cookie : LoginCredential.RefreshToken,
            },
            [],
            cancellationToken
        );
        http.Response.Headers.CacheControl = "no-store";
        return new LoginStep.Started(login, mine[0].TenantId, account.MustChangePassword);
    }
}
