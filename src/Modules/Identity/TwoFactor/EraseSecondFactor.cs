using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Identity.TwoFactor;

/// <summary>An erased person's authenticator and recovery codes are forgotten.</summary>
internal sealed class EraseSecondFactor(Database database) : IErasureStep
{
    public string Name => "second factor";

    public async Task<long> EraseAsync(AppendContext context, Guid subjectId, CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "delete from identity.second_factors where tenant_id = $1 and user_id = $2"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = context.TenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = subjectId });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
