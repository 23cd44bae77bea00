using System.Text.Json;
using Npgsql;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>
/// The responses that callers may come back to, by the ids that their answers bear. Each is read from the record of its call, whichever provider
/// made it, and only by whom it belongs to.
/// </summary>
[Singleton]
internal sealed class StoredResponses(Database database, DocumentStore documents)
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

    /// <summary>A response within reach, or null when there is none of this id, or its bodies are not kept.</summary>
    public async Task<StoredResponse?> FindAsync(Access access, string id, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            select inference_id, deployment_id from gateway.responses
            where tenant_id = $1 and response_id = $2 and ($3::uuid is null or owner_id = $3) and deleted_at is null
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = access.TenantId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter { Value = access.OwnerId ?? (object)DBNull.Value });
        Guid inferenceId;
        Guid deploymentId;
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken))
                return null;
            inferenceId = reader.GetGuid(0);
            deploymentId = reader.GetGuid(1);
        }
        var inference = await documents.LoadAsync<Inference>(access, inferenceId, cancellationToken);
        return inference?.Value is { Request: { } request, Response: { } response }
            ? new StoredResponse(id, inferenceId, deploymentId, request.Utf8, response.Utf8)
            : null;
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
                    return reader.GetString() is { Length: > 0 and <= 200 } id ? id : null;
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
/// <param name="InferenceId">The call that made it.</param>
/// <param name="DeploymentId">Where it was made.</param>
/// <param name="Request">What was asked for.</param>
/// <param name="Response">What was answered.</param>
internal sealed record StoredResponse(
    string Id,
    Guid InferenceId,
    Guid DeploymentId,
    ReadOnlyMemory<byte> Request,
    ReadOnlyMemory<byte> Response
);
