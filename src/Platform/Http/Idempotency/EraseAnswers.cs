using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Http.Idempotency;

/// <summary>
/// Removes the kept answers of an organization when a person of it is erased: an answer may say something about anybody. That the requests
/// were carried out stays known.
/// </summary>
internal sealed class EraseAnswers(Database database) : IErasureStep
{
    public string Name => "idempotent answers";

    public async Task<long> EraseAsync(AppendContext context, Guid subjectId, CancellationToken cancellationToken)
    {
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        foreach (
            var sql in (string[])
                [
                    "delete from platform.idempotent_requests where tenant_id = $1 and answer is not null and not has_effect",
                    "update platform.idempotent_requests set answer = null where tenant_id = $1 and answer is not null",
                ]
        )
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = context.TenantId });
            batch.BatchCommands.Add(command);
        }
        return await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
