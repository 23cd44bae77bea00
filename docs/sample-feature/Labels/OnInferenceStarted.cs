using Npgsql;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Messaging;

namespace Verbatim.Modules.Gateway.Labels;

/// <summary>Files a call under the label that its client request id begins with.</summary>
[Subscription("gateway.file-calls-under-labels")]
internal static class OnInferenceStarted
{
    public static async Task HandleAsync(InferenceStarted started, Message message, CancellationToken cancellationToken)
    {
        if (started.ClientRequestId?.Split(':') is not [var name, _, ..])
            return;

        // Through the message's transaction, which also moves the subscription on: it happens once.
        await using var file = new NpgsqlCommand(
            """
            insert into gateway.labelled_calls (tenant_id, label_id, inference_id)
            select tenant_id, id, $3 from documents.label where tenant_id = $1 and data ->> 'name' = $2
            """,
            message.Transaction.Connection,
            message.Transaction
        );
        file.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = message.Recorded.TenantId });
        file.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        file.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = message.Recorded.StreamId });
        await file.ExecuteNonQueryAsync(cancellationToken);
    }
}
