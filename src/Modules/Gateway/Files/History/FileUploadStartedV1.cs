using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Files.History;

/// <summary>A file is about to be sent. From before it was known who sends it, should they end.</summary>
[EventType("gateway.file-upload-started")]
internal sealed record FileUploadStartedV1(string Wire, Guid OwnerId, Guid? ProjectId, Guid ProviderId, string Provider)
    : IUpcast<FileUploadStarted>
{
    public FileUploadStarted Upcast() => new(Wire, OwnerId, ProjectId, ProviderId, Provider, Instance: Guid.Empty);
}
