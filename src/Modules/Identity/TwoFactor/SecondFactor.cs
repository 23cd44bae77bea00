using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.TwoFactor;

/// <summary>A person's authenticator, from the moment that it was proved until it is taken away. Its secret is not here.</summary>
/// <param name="UserId">The person.</param>
/// <param name="EnabledAt">When it was proved.</param>
/// <param name="RecoveryCodesLeft">How many of the codes are unused.</param>
/// <param name="DisabledAt">When it was taken away.</param>
[StreamType("second-factor", Owner = nameof(UserId))]
internal sealed record SecondFactor(
    Guid UserId,
    DateTimeOffset EnabledAt,
    int RecoveryCodesLeft,
    DateTimeOffset? DisabledAt
) : IDocument<SecondFactor>
{
    public static SecondFactor Evolve(SecondFactor? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, SecondFactorEnabled e) => new SecondFactor(
                e.UserId,
                e.EnabledAt,
                RecoveryCode.Count,
                DisabledAt: null
            ),
            ({ DisabledAt: null } factor, RecoveryCodeUsed e) => factor with { RecoveryCodesLeft = e.Left },
            ({ DisabledAt: null } factor, RecoveryCodesRenewed) => factor with
            {
                RecoveryCodesLeft = RecoveryCode.Count,
            },
            ({ DisabledAt: null } factor, SecondFactorDisabled e) => factor with { DisabledAt = e.DisabledAt },
            _ => throw new UnexpectedEventException(typeof(SecondFactor), @event),
        };
}

/// <summary>A person logs in with a second factor from now on. Neither its secret nor a code is on record.</summary>
/// <param name="UserId">The person.</param>
/// <param name="EnabledAt">When.</param>
[EventType("identity.second-factor-enabled")]
internal sealed record SecondFactorEnabled(Guid UserId, DateTimeOffset EnabledAt) : IEvent;

/// <summary>A recovery code was used in place of a code of the authenticator; it does not work again.</summary>
/// <param name="Left">How many are left.</param>
[EventType("identity.recovery-code-used")]
internal sealed record RecoveryCodeUsed(int Left) : IEvent;

/// <summary>The person has new recovery codes; the old ones do not work any more.</summary>
[EventType("identity.recovery-codes-renewed")]
internal sealed record RecoveryCodesRenewed : IEvent;

/// <summary>The person logs in without it again.</summary>
/// <param name="DisabledAt">When.</param>
/// <param name="IsReset">An administrator has taken it away, for somebody who has lost it.</param>
[EventType("identity.second-factor-disabled")]
internal sealed record SecondFactorDisabled(DateTimeOffset DisabledAt, bool IsReset) : IEvent;
