using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Inferences.History;

/// <summary>There is no full answer. From before a call could have several tries, a price, a project, or bodies that are not kept.</summary>
[EventType("gateway.inference-failed")]
internal sealed record InferenceFailedV1(
    InferenceError Error,
    IReadOnlyList<AttemptV1> Attempts,
    UsageV1? Usage,
    Latency Latency,
    [property: Personal] RawJson? Response
) : IUpcast<InferenceFailed>
{
    public InferenceFailed Upcast() =>
        new(Error, AttemptV1.Upcast(Attempts), Usage?.Upcast(), Cost: null, Latency, ResponseDigest: null, Response);
}
