using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging;

/// <summary>
/// Has every projection of events with personal data built anew when a person is erased: what it took from their events then reads as
/// erased, and the old table goes.
/// </summary>
internal sealed class EraseFromProjections(Database database, SubscriptionCatalog subscriptions, EventCatalog events)
    : IErasureStep
{
    public string Name => "projections to build anew";

    public async Task<long> EraseAsync(AppendContext context, Guid subjectId, CancellationToken cancellationToken)
    {
        var personal = events
            .Shapes.Where(s => s.HasPersonalData)
            .Select(s => s.Name)
            .ToHashSet(StringComparer.Ordinal);
        var touched = subscriptions.Projections.Where(p => p.EventTypes.Any(personal.Contains)).ToList();
        foreach (var projection in touched)
        {
            var rebuild = Projections.Rebuild(projection.Name);
            await using var command = database.Writes.CreateCommand(rebuild.Text);
            foreach (var value in rebuild.Parameters)
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        return touched.Count;
    }
}
