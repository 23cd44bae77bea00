using Verbatim.Platform.Sweeping;

namespace Verbatim.Modules.Identity.Lockouts;

/// <summary>Counts of failures that say nothing any more.</summary>
internal sealed class ForgottenLoginAttempts() : Sweep("identity.login_attempts", "last_at")
{
    protected override TimeSpan Keep => AttemptKind.Account.Memory;
}
