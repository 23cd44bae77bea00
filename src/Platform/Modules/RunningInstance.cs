using Verbatim.Platform.Events;

namespace Verbatim.Platform.Modules;

/// <summary>This run of the Host, among all that share the database: what leases are held by.</summary>
/// <param name="ids">Gives it its id.</param>
public sealed class RunningInstance(IdSource ids)
{
    /// <summary>New at each start.</summary>
    public Guid Id { get; } = ids.New();
}
