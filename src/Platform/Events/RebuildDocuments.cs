using System.Data;
using System.Globalization;
using Npgsql;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Events;

/// <summary>
/// Folds every document anew from its events and compares the result with its table, byte by byte. What differs is repaired, or with
/// <c>--check</c> only reported.
/// </summary>
/// <remarks>
/// The comparison reads one snapshot of the database and disturbs nobody. Only the repair of what differs takes the log's lock: appends wait
/// for it, so a table that is wrong as a whole is better rebuilt in a quiet hour.
/// </remarks>
internal sealed class RebuildDocuments(Database database, DocumentCatalog documents, DocumentRepair repair) : ICommand
{
    private const int BatchSize = DocumentRepair.BatchSize;

    public string Name => "rebuild";

    public string Usage => "[--check]";

    public string Summary =>
        "Folds all documents anew from their events and repairs those that differ; with --check it only says which.";

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
            var (count, differing) = await CompareAsync(document, cancellationToken);
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

    private async Task<(long Count, List<StreamKey> Differing)> CompareAsync(
        DocumentShape document,
        CancellationToken cancellationToken
    )
    {
        await using var logSide = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var tableSide = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var logSnapshot = await logSide.BeginTransactionAsync(
            IsolationLevel.RepeatableRead,
            cancellationToken
        );
        await using var tableSnapshot = await tableSide.BeginTransactionAsync(
            IsolationLevel.RepeatableRead,
            cancellationToken
        );
        await using (var export = new NpgsqlCommand("select pg_export_snapshot()", logSide))
        {
            var name = (string)(await export.ExecuteScalarAsync(cancellationToken))!;
            await using var import = new NpgsqlCommand($"set transaction snapshot '{name}'", tableSide);
            await import.ExecuteNonQueryAsync(cancellationToken);
        }

        long count = 0;
        var differing = new List<StreamKey>();
        await foreach (
            var batch in repair
                .FoldAllAsync(document, logSide, cancellationToken)
                .Chunk(BatchSize)
                .WithCancellation(cancellationToken)
        )
        {
            count += batch.Length;
            var stored = await ReadRowsAsync(document, batch.Select(r => r.Key), tableSide, cancellationToken);
            differing.AddRange(
                batch.Where(r => !stored.TryGetValue(r.Key, out var row) || !IsSame(row, r)).Select(r => r.Key)
            );
        }
        differing.AddRange(await ReadOrphansAsync(document, tableSide, cancellationToken));
        return (count, differing);
    }

    private static async Task<Dictionary<StreamKey, DocumentRow>> ReadRowsAsync(
        DocumentShape document,
        IEnumerable<StreamKey> keys,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            $"""
            select d.tenant_id, d.id, d.version, d.position, d.data::text
            from {document.Table} d join unnest($1::uuid[], $2::uuid[]) k(t, i) on d.tenant_id = k.t and d.id = k.i
            """,
            connection
        );
        DocumentRepair.AddKeys(command, [.. keys]);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new Dictionary<StreamKey, DocumentRow>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = new StreamKey(reader.GetGuid(0), reader.GetGuid(1));
            rows.Add(
                key,
                new DocumentRow(key, reader.GetInt64(2), reader.GetInt64(3), reader.GetFieldValue<byte[]>(4))
            );
        }
        return rows;
    }

    // Documents of which the log knows nothing.
    private static async Task<List<StreamKey>> ReadOrphansAsync(
        DocumentShape document,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            $"""
            select d.tenant_id, d.id from {document.Table} d
            where not exists (
                select 1 from platform.events e
                where e.tenant_id = d.tenant_id and e.stream_id = d.id and e.version = 1 and e.stream_type = $1)
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = document.StreamType });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var orphans = new List<StreamKey>();
        while (await reader.ReadAsync(cancellationToken))
            orphans.Add(new StreamKey(reader.GetGuid(0), reader.GetGuid(1)));
        return orphans;
    }

    private static bool IsSame(DocumentRow stored, DocumentRow folded) =>
        stored.Version == folded.Version
        && stored.Position == folded.Position
        && stored.Json.AsSpan().SequenceEqual(folded.Json);
}
