using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Inferences.History;

/// <summary>The intent. From before a call could have several tries, a price, a project, or bodies that are not kept.</summary>
[EventType("gateway.inference-started")]
internal sealed record InferenceStartedV1(
    string Wire,
    string Model,
    string Deployment,
    string Provider,
    bool Stream,
    Guid UserId,
    Guid Instance,
    string? ClientRequestId,
    [property: Personal] RawJson Request
) : IUpcast<InferenceStarted>
{
    public InferenceStarted Upcast() =>
        new(
            Wire,
            Model,
            Deployment,
            Provider,
            Stream,
            UserId,
            ProjectId: null,
            Instance,
            ClientRequestId,
            RecordingLevel.Full,
            RequestDigest: null,
            Request
        );
}
