using Verbatim.Platform.Sweeping;

namespace Verbatim.Platform.Http.Idempotency;

/// <summary>Idempotency keys of which a repetition is not asked any more.</summary>
internal sealed class OldIdempotencyKeys() : Sweep("platform.idempotent_requests", "started_at")
{
    protected override TimeSpan Keep => IdempotentRequests.Kept;
}
