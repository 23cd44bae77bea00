using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Inferences.History;

/// <summary>The provider answered in full. From before a call could have several tries, a price, a project, or bodies that are not kept.</summary>
[EventType("gateway.inference-completed")]
internal sealed record InferenceCompletedV1(
    IReadOnlyList<AttemptV1> Attempts,
    UsageV1? Usage,
    Latency Latency,
    [property: Personal] RawJson? Response
) : IUpcast<InferenceCompleted>
{
    public InferenceCompleted Upcast() =>
        new(AttemptV1.Upcast(Attempts), Usage?.Upcast(), Cost: null, Latency, ResponseDigest: null, Response);
}
