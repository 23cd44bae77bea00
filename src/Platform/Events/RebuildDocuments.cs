using System.Globalization;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Events;

/// <summary>
/// Folds every document anew from its events and compares the result with its table, byte by byte. What differs is repaired, or with
/// <c>--check</c> only reported.
/// </summary>
/// <remarks>
/// The comparison reads one snapshot of the database and disturbs nobody. Only the repair of what differs takes the log's lock, for some
/// hundreds of documents at a time: appends go on in between, but slower, so a table that is wrong as a whole is better rebuilt in a quiet
/// hour.
/// </remarks>
[Command(
    "rebuild",
    Usage = "[--check]",
    Summary = "Folds all documents anew from their events and repairs those that differ; with --check it only says which."
)]
internal sealed class RebuildDocuments(Database database, DocumentCatalog documents, DocumentRepair repair) : ICommand
{
    private readonly DocumentComparison _comparison = new(database, repair);

    public async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var isCheck = arguments is ["--check"];
        if (arguments.Count > 0 && !isCheck)
            throw new CommandUsageException($"'{string.Join(' ', arguments)}' is not understood.");

        var total = 0;
        foreach (
            var document in documents
                .Shapes.Where(d => d.Snapshot == SnapshotKind.Inline)
                .OrderBy(d => d.StreamType, StringComparer.Ordinal)
        )
        {
            var (count, differing) = await _comparison.CompareAsync(document, cancellationToken);
            total += differing.Count;
            if (!isCheck && differing.Count > 0)
                await repair.RepairAsync(document, differing, cancellationToken);
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{document.StreamType}: {count} folded, {differing.Count} {(isCheck ? "differ" : "repaired")}"
                )
            );
            if (isCheck && differing.Count > 0)
                await output.WriteLineAsync(
                    $"  the first is {differing[0].StreamId} of organization {differing[0].TenantId}"
                );
        }
        return isCheck && total > 0 ? 1 : 0;
    }
}
