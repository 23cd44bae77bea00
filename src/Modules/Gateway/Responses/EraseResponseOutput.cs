using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.Responses;

/// <summary>The kept streams of an erased person's responses, which nobody can open any more, are removed.</summary>
internal sealed class EraseResponseOutput(Database database) : IErasureStep
{
    public string Name => "streams of responses";

    public async Task<long> EraseAsync(AppendContext context, Guid subjectId, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            """
            delete from gateway.response_output o using gateway.background_responses b
            where b.tenant_id = $1 and b.subject_id = $2 and o.tenant_id = b.tenant_id and o.response_id = b.response_id
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = context.TenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = subjectId });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
