using Npgsql;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>How a response that is made in the background stands.</summary>
/// <param name="SubjectId">Whose key seals its output.</param>
/// <param name="CancellationId">The stream of the decision to cancel it.</param>
/// <param name="InstanceId">The instance that runs it.</param>
/// <param name="IsStreamed">Its events are kept.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="HasBegun">Its call is on its way.</param>
/// <param name="IsCancelled">It was cancelled before its call had an outcome.</param>
/// <param name="IsLost">Its instance ended before its call had an outcome.</param>
/// <param name="HasEnded">Nothing follows in its stream.</param>
internal sealed record BackgroundRow(
    Guid SubjectId,
    Guid CancellationId,
    Guid InstanceId,
    bool IsStreamed,
    DateTimeOffset CreatedAt,
    bool HasBegun,
    bool IsCancelled,
    bool IsLost,
    bool HasEnded
)
{
    /// <summary>The columns, of the table as <c>b</c>.</summary>
    public const string Columns = """
        b.subject_id, b.cancellation_id, b.instance_id, b.is_streamed, b.created_at, b.began_at is not null,
        b.cancelled_at is not null, b.lost_at is not null, b.ended_at is not null
        """;

    /// <summary>Reads a row of these columns.</summary>
    public static BackgroundRow Read(NpgsqlDataReader reader) =>
        new(
            reader.GetGuid(0),
            reader.GetGuid(1),
            reader.GetGuid(2),
            reader.GetBoolean(3),
            new DateTimeOffset(reader.GetDateTime(4), TimeSpan.Zero),
            reader.GetBoolean(5),
            reader.GetBoolean(6),
            reader.GetBoolean(7),
            reader.GetBoolean(8)
        );

    /// <summary>What makes a response known that is about to be made, in the transaction of its call's intent.</summary>
    public static SqlWrite Add(Guid tenantId, string responseId, Guid inferenceId, Guid ownerId, BackgroundRow row) =>
        new(
            """
            with known as (
                insert into gateway.responses (tenant_id, response_id, owner_id, inference_id, deployment_id)
                values ($1, $2, $4, $3, '00000000-0000-0000-0000-000000000000'))
            insert into gateway.background_responses
                (tenant_id, response_id, inference_id, subject_id, cancellation_id, instance_id, is_streamed, created_at)
            values ($1, $2, $3, $5, $6, $7, $8, $9)
            """,
            tenantId,
            responseId,
            inferenceId,
            ownerId,
            row.SubjectId,
            row.CancellationId,
            row.InstanceId,
            row.IsStreamed,
            row.CreatedAt.UtcDateTime
        );

    /// <summary>What tells where a response was made, in the transaction of its call's outcome.</summary>
    public static SqlWrite Made(Guid tenantId, string responseId, Guid deploymentId, string? upstreamId) =>
        new(
            "update gateway.responses set deployment_id = $3, upstream_id = nullif($4, '') where tenant_id = $1 and response_id = $2",
            tenantId,
            responseId,
            deploymentId,
            upstreamId ?? ""
        );

    /// <summary>What cancels a response whose call has no outcome yet. The log is locked meanwhile, so whichever comes first holds.</summary>
    public static SqlWrite Cancel(Guid tenantId, string responseId) =>
        new(
            """
            update gateway.background_responses b set cancelled_at = now()
            where b.tenant_id = $1 and b.response_id = $2 and b.cancelled_at is null and b.lost_at is null
                and not exists (
                    select 1 from platform.events e
                    where e.tenant_id = $1 and e.stream_id = b.inference_id and e.version > 1)
            """,
            tenantId,
            responseId
        );

    /// <summary>What ends a response whose instance is gone, in the transaction that says so of its call.</summary>
    public static SqlWrite Lose(Guid tenantId, Guid inferenceId) =>
        new(
            $"""
            with lost as (
                update gateway.background_responses set lost_at = now()
                where tenant_id = $1 and inference_id = $2 and lost_at is null returning response_id)
            select pg_notify('{OutputSignals.Channel}', response_id) from lost
            """,
            tenantId,
            inferenceId
        );

    /// <summary>What removes a response's stream.</summary>
    public static SqlWrite DropOutput(Guid tenantId, string responseId) =>
        new("delete from gateway.response_output where tenant_id = $1 and response_id = $2", tenantId, responseId);
}
