using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>Projections, to have them built anew.</summary>
public sealed class Projections
{
    private readonly Database _database;
    private readonly SubscriptionCatalog _catalog;

    internal Projections(Database database, SubscriptionCatalog catalog)
    {
        _database = database;
        _catalog = catalog;
    }

    /// <summary>The projection of this name, or whose build is the subscription of this name; null if there is none.</summary>
    public string? Find(string name) =>
        _catalog.Projections.FirstOrDefault(p => p.Name == name || p.BuildOf(name) is not null)?.Name;

    /// <summary>Whether it is being built beside the live one, or somebody has asked for it.</summary>
    public async Task<bool> IsBuildingAsync(string name, CancellationToken cancellationToken)
    {
        await using var command = _database.Writes.CreateCommand(
            """
            select exists(
                select from platform.projections p where p.name = $1 and (p.rebuild_requested_at is not null
                    or exists(select from platform.projection_builds b where b.name = p.name and b.build <> p.live_build and b.removed_at is null)))
            """
        );
        return (bool)(await command.With(name).ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Has it built anew, beside the live one: in the transaction that records who wanted so.</summary>
    public static SqlWrite Rebuild(string name) =>
        new(
            "update platform.projections set rebuild_requested_at = coalesce(rebuild_requested_at, clock_timestamp()) where name = $1",
            name
        );
}
