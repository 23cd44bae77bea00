using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Files;

/// <summary>
/// A file that a caller sent to a provider, and whose it is: the provider knows it by one credential for everybody. Its content is at the provider
/// alone; here is what identifies it.
/// </summary>
/// <param name="Status">Whether the provider has it.</param>
/// <param name="Wire">The wire that it was sent on, and is shown on: <c>openai</c>, <c>anthropic</c>.</param>
/// <param name="OwnerId">The person, service account or client that sent it.</param>
/// <param name="ProjectId">The project that their credential belongs to.</param>
/// <param name="ProviderId">The provider that has it.</param>
/// <param name="Provider">What that was called.</param>
/// <param name="UpstreamId">The provider's id of it, which is also what callers know it by; null until the provider has it.</param>
/// <param name="FileName">As the provider repeats it.</param>
/// <param name="MediaType">As the provider says it; null where it says none.</param>
/// <param name="Purpose">OpenAI's <c>purpose</c>.</param>
/// <param name="Content">What identifies its content.</param>
/// <param name="CreatedAt">When the provider took it.</param>
/// <param name="ExpiresAt">When the provider lets go of it; null for never.</param>
/// <param name="DeletedAt">When it was deleted, for good.</param>
/// <param name="Instance">The instance of the gateway that sends it, or sent it.</param>
[StreamType("provider-file", Owner = nameof(OwnerId))]
internal sealed record ProviderFile(
    ProviderFileStatus Status,
    string Wire,
    Guid OwnerId,
    Guid? ProjectId,
    Guid ProviderId,
    string Provider,
    string? UpstreamId,
    [property: Personal(Of = nameof(ProviderFile.OwnerId))] string? FileName,
    string? MediaType,
    string? Purpose,
    BodyDigest? Content,
    DateTimeOffset? CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? DeletedAt,
    Guid Instance
) : IDocument<ProviderFile>
{
    public static ProviderFile Evolve(ProviderFile? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, FileUploadStarted e) => new ProviderFile(
                ProviderFileStatus.Uploading,
                e.Wire,
                e.OwnerId,
                e.ProjectId,
                e.ProviderId,
                e.Provider,
                UpstreamId: null,
                FileName: null,
                MediaType: null,
                Purpose: null,
                Content: null,
                CreatedAt: null,
                ExpiresAt: null,
                DeletedAt: null,
                e.Instance
            ),
            ({ IsOpen: true } file, FileUploaded e) => file with
            {
                Status = ProviderFileStatus.Uploaded,
                UpstreamId = e.UpstreamId,
                FileName = e.FileName,
                MediaType = e.MediaType,
                Purpose = e.Purpose,
                Content = e.Content,
                CreatedAt = e.CreatedAt,
                ExpiresAt = e.ExpiresAt,
            },
            ({ IsOpen: true } file, FileUploadFailed) => file with { Status = ProviderFileStatus.Failed },
            ({ Status: ProviderFileStatus.Uploading } file, FileUploadLost) => file with
            {
                Status = ProviderFileStatus.Unknown,
            },
            ({ Status: ProviderFileStatus.Uploaded } file, FileDeleted e) => file with
            {
                Status = ProviderFileStatus.Deleted,
                DeletedAt = e.DeletedAt,
            },
            _ => throw new UnexpectedEventException(typeof(ProviderFile), @event),
        };

    /// <summary>How it ended can be told: also by an instance that was only taken for dead.</summary>
    internal bool IsOpen => Status is ProviderFileStatus.Uploading or ProviderFileStatus.Unknown;
}

/// <summary>Whether a provider has a file.</summary>
internal enum ProviderFileStatus
{
    /// <summary>It is on its way.</summary>
    Uploading,

    /// <summary>The provider has it.</summary>
    Uploaded,

    /// <summary>The provider did not take it.</summary>
    Failed,

    /// <summary>It was deleted there.</summary>
    Deleted,

    /// <summary>The instance that sent it ended before it could tell: the provider may have it or not.</summary>
    Unknown,
}

/// <summary>A file is about to be sent: durable before its first byte is.</summary>
/// <param name="Wire">The wire that it is sent on: <c>openai</c>, <c>anthropic</c>.</param>
/// <param name="OwnerId">The person, service account or client that sends it.</param>
/// <param name="ProjectId">The project that their credential belongs to.</param>
/// <param name="ProviderId">Where it goes.</param>
/// <param name="Provider">What that is called.</param>
/// <param name="Instance">The instance of the gateway that sends it.</param>
[EventType("gateway.file-upload-started", Version = 2)]
internal sealed record FileUploadStarted(
    string Wire,
    Guid OwnerId,
    Guid? ProjectId,
    Guid ProviderId,
    string Provider,
    Guid Instance
) : IEvent;

/// <summary>The provider has the file. Durable before the caller knows its id.</summary>
/// <param name="UpstreamId">The provider's id of it.</param>
/// <param name="FileName">As the provider repeats it.</param>
/// <param name="MediaType">As the provider says it.</param>
/// <param name="Purpose">OpenAI's <c>purpose</c>.</param>
/// <param name="Content">What identifies the bytes that were sent.</param>
/// <param name="CreatedAt">When the provider took it.</param>
/// <param name="ExpiresAt">When the provider lets go of it.</param>
[EventType("gateway.file-uploaded")]
internal sealed record FileUploaded(
    string UpstreamId,
    [property: Personal] string? FileName,
    string? MediaType,
    string? Purpose,
    BodyDigest Content,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt
) : IEvent;

/// <summary>The file did not get to the provider, or was not taken.</summary>
/// <param name="Code">Stable: <c>upstream-status</c>, <c>upstream-unreachable</c>, <c>client-left</c>, <c>file-too-large</c> …</param>
/// <param name="Status">The HTTP status that the caller was given.</param>
[EventType("gateway.file-upload-failed")]
internal sealed record FileUploadFailed(string Code, int Status) : IEvent;

/// <summary>The instance that sent the file is gone, and has not told how it ended.</summary>
[EventType("gateway.file-upload-lost")]
internal sealed record FileUploadLost(Guid Instance) : IEvent;

/// <summary>The file is gone from the provider.</summary>
[EventType("gateway.file-deleted")]
internal sealed record FileDeleted(DateTimeOffset DeletedAt) : IEvent;
