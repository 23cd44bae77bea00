using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Verbatim.Modules.Identity.Lockouts;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.TwoFactor;

/// <summary>What a person does with their second factor: the same for the API and for pages.</summary>
[Singleton]
internal sealed class FactorChanges(
    OwnPassword own,
    SecondFactors factors,
    FactorProof proof,
    PasswordStore passwords,
    LoginGuard guard,
    DocumentStore store,
    IdSource ids,
    TimeProvider time
)
{
    public static readonly HttpError AlreadyEnabled = new(
        409,
        "identity.second-factor-enabled",
        "You have a second factor already; disable it before you set up another."
    );

    public static readonly HttpError NotBegun = new(
        409,
        "identity.second-factor-not-begun",
        "There is nothing to confirm: begin with POST /api/auth/second-factor."
    );

    public static readonly HttpError NotEnabled = new(
        409,
        "identity.second-factor-not-enabled",
        "You have no second factor."
    );

    public static readonly HttpError WrongCode = new(
        403,
        "identity.wrong-code",
        "The code is wrong, was used before, or has run out; take the next one."
    );

    /// <summary>A new secret for the person's authenticator, still to be proved.</summary>
    public async Task<(byte[]? Secret, Account? Account, ProblemHttpResult? Refusal)> BeginAsync(
        HttpContext http,
        Caller caller,
        string password,
        CancellationToken cancellationToken
    )
    {
        var (account, refusal) = await own.ProveAsync(http, caller, password, cancellationToken);
        if (account is null)
            return (null, null, refusal);
        var secret = await factors.BeginAsync(account.TenantId, account.UserId, ids.New(), cancellationToken);
        return secret is null ? (null, null, Problems.Create(AlreadyEnabled)) : (secret, account, null);
    }

    /// <summary>The authenticator has the secret: it is asked for from now on. Answers with the recovery codes.</summary>
    public async Task<(IReadOnlyList<string>? Codes, ProblemHttpResult? Refusal)> ConfirmAsync(
        HttpContext http,
        Caller caller,
        string code,
        CancellationToken cancellationToken
    )
    {
        switch (await factors.FindAsync(caller.PrincipalId, cancellationToken))
        {
            case null:
                return (null, Problems.Create(NotBegun));
            case { EnabledAt: not null }:
                return (null, Problems.Create(AlreadyEnabled));
            case var factor:
                if (!await factors.TakeCodeAsync(factor, code, cancellationToken))
                    return (null, Problems.Create(WrongCode));
                var now = time.GetUtcNow();
                var codes = RecoveryCode.NewSet();
                var outcome = await store.DecideAsync<SecondFactor>(
                    ContextOf(http, caller, factor),
                    factor.StreamId,
                    current =>
                        current is null
                            ? Decision
                                .Append(new SecondFactorEnabled(caller.PrincipalId, now))
                                .AlsoWriting(SecondFactors.Enable(caller.PrincipalId, now, codes))
                            : Decision.Refuse(RefusalKind.Conflict, AlreadyEnabled.Code, AlreadyEnabled.Message),
                    cancellationToken
                );
                return outcome.Match<(IReadOnlyList<string>?, ProblemHttpResult?)>(
                    _ => (codes, null),
                    refusal => (null, Problems.From(refusal))
                );
        }
    }

    /// <summary>Logins need no second factor any more.</summary>
    public async Task<ProblemHttpResult?> DisableAsync(
        HttpContext http,
        Caller caller,
        string password,
        string code,
        CancellationToken cancellationToken
    )
    {
        var (factor, refusal) = await ProveBothAsync(http, caller, password, code, cancellationToken);
        return factor is null
            ? refusal
            : await ChangeAsync(
                ContextOf(http, caller, factor),
                factor,
                Decision
                    .Append(new SecondFactorDisabled(time.GetUtcNow(), IsReset: false))
                    .AlsoWriting(SecondFactors.Forget(factor.UserId)),
                cancellationToken
            );
    }

    /// <summary>New recovery codes; the old ones do not work any more.</summary>
    public async Task<(IReadOnlyList<string>? Codes, ProblemHttpResult? Refusal)> RenewCodesAsync(
        HttpContext http,
        Caller caller,
        string password,
        string code,
        CancellationToken cancellationToken
    )
    {
        var (factor, refusal) = await ProveBothAsync(http, caller, password, code, cancellationToken);
        if (factor is null)
            return (null, refusal);
        var codes = RecoveryCode.NewSet();
        refusal = await ChangeAsync(
            ContextOf(http, caller, factor),
            factor,
            Decision.Append(new RecoveryCodesRenewed()).AlsoWriting(SecondFactors.ReplaceCodes(factor.UserId, codes)),
            cancellationToken
        );
        return refusal is null ? (codes, null) : (null, refusal);
    }

    /// <summary>An administrator takes a member's lost factor away.</summary>
    public Task<ProblemHttpResult?> ResetAsync(
        HttpContext http,
        Caller caller,
        KeptFactor factor,
        CancellationToken cancellationToken
    ) =>
        ChangeAsync(
            ContextOf(http, caller, factor),
            factor,
            Decision
                .Append(new SecondFactorDisabled(time.GetUtcNow(), IsReset: true))
                .AlsoWriting(SecondFactors.Forget(factor.UserId)),
            cancellationToken
        );

    private async Task<(KeptFactor? Factor, ProblemHttpResult? Refusal)> ProveBothAsync(
        HttpContext http,
        Caller caller,
        string password,
        string code,
        CancellationToken cancellationToken
    )
    {
        var (account, refusal) = await own.ProveAsync(http, caller, password, cancellationToken);
        if (account is null)
            return (null, refusal);
        if (await factors.FindEnabledAsync(account.UserId, cancellationToken) is not { } factor)
            return (null, Problems.Create(NotEnabled));
        var key = await passwords.HashEmailAsync(account.Email, cancellationToken);
        var (attempt, retryAfter) = await guard.BeginAsync(http, key, cancellationToken);
        if (attempt is null)
            return (null, LoginGuard.Refuse(http, retryAfter));
        var proved = await guard.LookAsync(
            attempt,
            () => proof.ProveAsync(caller.For(http), factor, code, CancellationToken.None)
        );
        if (proved is null)
        {
            await guard.FailedAsync(http, attempt, account.TenantId, account.UserId, cancellationToken);
            return (null, Problems.Create(WrongCode));
        }
        await guard.SucceededAsync(attempt);
        return (factor, null);
    }

    private async Task<ProblemHttpResult?> ChangeAsync(
        AppendContext context,
        KeptFactor factor,
        Decision change,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<SecondFactor>(
            context,
            factor.StreamId,
            current =>
                current is { DisabledAt: null }
                    ? change
                    : Decision.Refuse(RefusalKind.Conflict, NotEnabled.Code, NotEnabled.Message),
            cancellationToken
        );
        return outcome.Match<ProblemHttpResult?>(_ => null, refusal => Problems.From(refusal));
    }

    // Recorded at home, whichever organization the person acts in.
    private static AppendContext ContextOf(HttpContext http, Caller caller, KeptFactor factor) =>
        caller.For(http) with
        {
            TenantId = factor.TenantId,
        };
}
