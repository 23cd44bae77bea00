using System.Text;
using System.Text.Json.Serialization;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging.Jobs;

namespace Verbatim.Modules.Operations.Jobs;

/// <summary>A job.</summary>
/// <param name="Id">The job.</param>
/// <param name="Type">What it does.</param>
/// <param name="Queue">Where it waits.</param>
/// <param name="Status">
/// `waiting`, `running`, `done`, `cancelled`; `dead`, when it failed too often; `discarded`, when it was given up then.
/// </param>
/// <param name="UniqueKey">While it is not finished no other of its type has the same.</param>
/// <param name="Priority">The highest goes first.</param>
/// <param name="Attempts">How often it was begun.</param>
/// <param name="Reason">Why it failed last.</param>
/// <param name="Holder">The instance that runs it.</param>
/// <param name="CancelRequested">Somebody wants it to stop.</param>
/// <param name="Actor">Who enqueued it.</param>
/// <param name="RequestId">The request that enqueued it, if one did.</param>
/// <param name="DueAt">It is not begun before.</param>
/// <param name="EnqueuedAt">When it was enqueued.</param>
/// <param name="StartedAt">When its last attempt began.</param>
/// <param name="FinishedAt">When it ended.</param>
/// <param name="Payload">What it was given; only when one job is asked for.</param>
public sealed record JobResponse(
    Guid Id,
    string Type,
    string Queue,
    string Status,
    string? UniqueKey,
    int Priority,
    int Attempts,
    string? Reason,
    Guid? Holder,
    bool CancelRequested,
    string Actor,
    string RequestId,
    DateTime DueAt,
    DateTime EnqueuedAt,
    DateTime? StartedAt,
    DateTime? FinishedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? Payload
)
{
    internal static readonly JobResponse Example = new(
        Guid.Parse("0199a4d7-5b0e-7d42-8f31-6a7b8c9d0e1f"),
        "files.make-preview",
        "previews",
        "dead",
        "preview-0199a4c2",
        Priority: 0,
        Attempts: 10,
        "HttpRequestException: The server does not answer.",
        Holder: null,
        CancelRequested: false,
        "user:0199a4b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
        "0198c8a42f6b7d0e9a51c3e07b64d218",
        new DateTime(2026, 3, 2, 9, 30, 0, DateTimeKind.Utc),
        new DateTime(2026, 3, 2, 9, 30, 0, DateTimeKind.Utc),
        new DateTime(2026, 3, 2, 9, 32, 1, DateTimeKind.Utc),
        new DateTime(2026, 3, 2, 9, 32, 4, DateTimeKind.Utc),
        Payload: null
    );

    internal static JobResponse From(Job job, bool withPayload) =>
        new(
            job.Id,
            job.Type,
            job.Queue,
            job.Status,
            job.UniqueKey,
            job.Priority,
            job.Attempts,
            job.Reason,
            job.Holder,
            job.IsCancelRequested,
            job.Actor,
            job.Correlation,
            job.DueAt,
            job.EnqueuedAt,
            job.StartedAt,
            job.FinishedAt,
            withPayload ? new RawJson(Encoding.UTF8.GetBytes(job.Payload)) : null
        );
}
