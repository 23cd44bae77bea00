using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Operations;

/// <summary>Whoever uses <c>./run</c> beside the server. What they do is recorded like what a caller does.</summary>
[Singleton]
internal sealed class Operator(Database database)
{
    private const string Actor = "system:operator";

    /// <summary>For what belongs to an organization.</summary>
    public static AppendContext For(Guid tenantId) => new(tenantId, Actor, "");

    /// <summary>For what belongs to none: recorded with the first one, whose creation begins the log.</summary>
    /// <returns>Null while the log is empty.</returns>
    public async Task<AppendContext?> ForEverybodyAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Writes.CreateCommand(
            "select tenant_id from platform.events order by position limit 1"
        );
        return await command.ExecuteScalarAsync(cancellationToken) is Guid tenantId ? For(tenantId) : null;
    }
}
