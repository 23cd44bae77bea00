using System.Text.Json;
using Npgsql;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Modules.Gateway.Retentions;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>
/// The responses that callers may come back to, by the ids that their answers bear. Each is read from the record of its call, whichever provider
/// made it, and only by whom it belongs to.
/// </summary>
[Singleton]
internal sealed class StoredResponses(Database database, DocumentStore documents, EventStore events, TimeProvider time)
{
    /// <summary>What makes a response known, in the transaction of its call's outcome; null when its answer has no id.</summary>
    public static SqlWrite? Remember(
        Guid tenantId,
        Guid ownerId,
        Guid inferenceId,
        Guid deploymentId,
        ReadOnlySpan<byte> answer
    ) =>
        IdOf(answer) is { } id
            ? new SqlWrite(
                """
                insert into gateway.responses (tenant_id, response_id, owner_id, inference_id, deployment_id)
                values ($1, $2, $3, $4, $5) on conflict do nothing
                """,
                tenantId,
                id,
                ownerId,
                inferenceId,
                deploymentId
            )
            : null;

    /// <summary>
    /// A response within reach, or null when there is none of this id, its bodies are not kept, or the organization shows them no longer.
    /// </summary>
    public async Task<StoredResponse?> FindAsync(Access access, string id, CancellationToken cancellationToken)
    {
        Guid inferenceId;
        Guid deploymentId;
        string? upstreamId;
        Guid ownerId;
        bool isBackground;
        await using (
            var command = database.Writes.CreateCommand(
                """
                select r.inference_id, r.deployment_id, r.upstream_id, r.owner_id, b.response_id is not null
                from gateway.responses r left join gateway.background_responses b using (tenant_id, response_id)
                where r.tenant_id = $1 and r.response_id = $2 and ($3::uuid is null or r.owner_id = $3) and r.deleted_at is null
                """
            )
        )
        {
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = access.TenantId });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
            command.Parameters.Add(new NpgsqlParameter { Value = access.OwnerId ?? (object)DBNull.Value });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
                return null;
            inferenceId = reader.GetGuid(0);
            deploymentId = reader.GetGuid(1);
            upstreamId = reader.IsDBNull(2) ? null : reader.GetString(2);
            ownerId = reader.GetGuid(3);
            isBackground = reader.GetBoolean(4);
        }
        if (!await IsShownAsync(access.TenantId, inferenceId, cancellationToken))
            return null;
        var inference = await documents.LoadAsync<Inference>(access, inferenceId, cancellationToken);
        // What is no object was erased.
        if (inference?.Value is not { Request: { Utf8.Span: [(byte)'{', ..] } request })
            return null;
        if (!isBackground)
            return inference.Value.Response is { Utf8.Span: [(byte)'{', ..] } answer
                ? new StoredResponse(id, ownerId, inferenceId, deploymentId, upstreamId, request.Utf8, answer.Utf8)
                : null;
        // Behind the record: the row tells of a cancellation before the record tells of what came of it.
        if (await ReadRowAsync(access.TenantId, id, cancellationToken) is not { } row)
            return null;
        var status = BackgroundState.StatusOf(inference.Value, row);
        return new StoredResponse(
            id,
            ownerId,
            inferenceId,
            deploymentId,
            upstreamId,
            request.Utf8,
            BackgroundState.Write(inferenceId, inference.Value, row)
        )
        {
            Status = status,
            Background = row,
            HasOutcome = inference.Value.Status != InferenceStatus.Started,
        };
    }

    // As the record of the call itself is shown.
    private async Task<bool> IsShownAsync(Guid tenantId, Guid inferenceId, CancellationToken cancellationToken)
    {
        var retention = await Retention.LoadAsync(documents, tenantId, cancellationToken);
        if (retention.FullFrom(time.GetUtcNow()) is not { } from)
            return true;
        await foreach (var first in events.ReadStreamAsync(tenantId, inferenceId, 1, 1, cancellationToken))
            return first.Time >= from;
        return false;
    }

    private async Task<BackgroundRow?> ReadRowAsync(Guid tenantId, string id, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            $"select {BackgroundRow.Columns} from gateway.background_responses b where tenant_id = $1 and response_id = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenantId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? BackgroundRow.Read(reader) : null;
    }

    /// <summary>What makes a response unknown. What was recorded of its call stays in the log.</summary>
    public static SqlWrite Forget(Guid tenantId, string id) =>
        new(
            "update gateway.responses set deleted_at = now() where tenant_id = $1 and response_id = $2 and deleted_at is null",
            tenantId,
            id
        );

    private static string? IdOf(ReadOnlySpan<byte> answer)
    {
        try
        {
            var reader = new Utf8JsonReader(answer);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isId = reader.ValueTextEquals("id"u8);
                reader.Read();
                if (isId && reader.TokenType == JsonTokenType.String)
                    return
                        reader.GetString() is { Length: > 0 and <= 200 } id
                        && !id.Contains('\0', StringComparison.Ordinal)
                        ? id
                        : null;
                reader.Skip();
            }
            return null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>A response that can be asked for again.</summary>
/// <param name="Id">As its answer calls it.</param>
/// <param name="OwnerId">Whose it is.</param>
/// <param name="InferenceId">The call that makes or made it.</param>
/// <param name="DeploymentId">Where it was made.</param>
/// <param name="UpstreamId">Its id there, where that is another.</param>
/// <param name="Request">What was asked for.</param>
/// <param name="Response">What is answered.</param>
internal sealed record StoredResponse(
    string Id,
    Guid OwnerId,
    Guid InferenceId,
    Guid DeploymentId,
    string? UpstreamId,
    ReadOnlyMemory<byte> Request,
    ReadOnlyMemory<byte> Response
)
{
    /// <summary>How it stands. One that was not made in the background is found when it is complete.</summary>
    public ResponseStatus Status { get; init; } = ResponseStatus.Completed;

    /// <summary>How it is made in the background; null when it was not.</summary>
    public BackgroundRow? Background { get; init; }

    /// <summary>The call's outcome is on record.</summary>
    public bool HasOutcome { get; init; } = true;

    /// <summary>There is something in it that one can go on from.</summary>
    public bool IsAnswered => Status is ResponseStatus.Completed or ResponseStatus.Incomplete;
}
