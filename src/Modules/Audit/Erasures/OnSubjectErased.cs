using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.PersonalData;

namespace Verbatim.Modules.Audit.Erasures;

/// <summary>Finishes an erasure. Its key is destroyed when this begins, so that nothing depends on when it ends.</summary>
[Subscription("audit.finish-erasures")]
internal static class OnSubjectErased
{
    public static async Task HandleAsync(
        SubjectErased erased,
        Message message,
        Subjects subjects,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        var recorded = message.Recorded;
        var context = new AppendContext(recorded.TenantId, "system:erasure", recorded.Correlation);
        var erasure = await store.LoadAsync<Erasure>(
            Access.ToAll(recorded.TenantId),
            recorded.StreamId,
            cancellationToken
        );
        if (erasure?.Value.Status is not ErasureStatus.Running)
            return;
        var touched = await subjects.SweepAsync(context, erased.SubjectId, cancellationToken);
        await store.DecideAsync<Erasure>(
            context,
            recorded.StreamId,
            current =>
                current is { Status: ErasureStatus.Running }
                    ? Decision.Append(new ErasureCompleted(touched))
                    : Decision.Nothing,
            cancellationToken
        );
    }
}
