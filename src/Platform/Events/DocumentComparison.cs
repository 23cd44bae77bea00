using System.Data;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Events;

/// <summary>Compares documents, folded anew from their events, with their rows, byte by byte. Reads one snapshot and disturbs nobody.</summary>
internal sealed class DocumentComparison(Database database, DocumentRepair repair)
{
    /// <summary>How many documents the log has, and which of them have another row, or none, or a row without events.</summary>
    public async Task<(long Count, List<StreamKey> Differing)> CompareAsync(
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
                .Chunk(DocumentRepair.BatchSize)
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
