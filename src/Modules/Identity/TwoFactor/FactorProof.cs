using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.TwoFactor;

/// <summary>Finds out whether what a person typed proves their second factor: a code of the authenticator, or a recovery code.</summary>
[Singleton]
internal sealed class FactorProof(SecondFactors factors, DocumentStore store)
{
    // A recovery code is a one-time password too.
    private const string Otp = "otp";

    /// <summary>The factor as <c>amr</c> (RFC 8176) names it, or null when it is not proved. What was right does not work again.</summary>
    public async Task<string?> ProveAsync(
        AppendContext context,
        KeptFactor factor,
        string code,
        CancellationToken cancellationToken
    )
    {
        if (!RecoveryCode.LooksLikeOne(code))
            return await factors.TakeCodeAsync(factor, code, cancellationToken) ? Otp : null;
        if (await factors.TakeRecoveryCodeAsync(factor.UserId, code, cancellationToken) is not { } left)
            return null;
        await store.DecideAsync<SecondFactor>(
            context with
            {
                TenantId = factor.TenantId,
                OnlyOwnedBy = null,
                IfMatch = null,
            },
            factor.StreamId,
            _ => Decision.Append(new RecoveryCodeUsed(left)),
            cancellationToken
        );
        return Otp;
    }
}
