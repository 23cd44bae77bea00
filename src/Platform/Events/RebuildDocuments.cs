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
internal sealed class RebuildDocuments(Database database, EventCatalog events, DocumentCatalog documents) : ICommand
{
    private const int BatchSize = 500;

    private sealed record Row(StreamKey Key, long Version, long Position, byte[] Json);

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
                await RepairAsync(document, differing, cancellationToken);
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
            var batch in FoldAllAsync(document, logSide, cancellationToken)
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

    private async Task RepairAsync(
        DocumentShape document,
        List<StreamKey> differing,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var reading = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Nobody appends until this commits, and a state that was loaded before it is no base for the next one.
        await ExecuteAsync(
            connection,
            "update platform.sequencer set documents_generation = documents_generation + 1",
            cancellationToken
        );
        foreach (var batch in differing.Chunk(BatchSize))
        {
            await using var delete = new NpgsqlCommand(
                $"delete from {document.Table} d using unnest($1::uuid[], $2::uuid[]) k(t, i) where d.tenant_id = k.t and d.id = k.i",
                connection
            );
            AddKeys(delete, batch);
            await delete.ExecuteNonQueryAsync(cancellationToken);

            var rows = new DocumentRows();
            foreach (var key in batch)
            {
                await foreach (var row in FoldAsync(document, StreamCommand(key, reading), cancellationToken))
                    rows.Set(row.Key, row.Version, row.Position, row.Json);
            }
            if (rows.Count == 0)
                continue;
            await using var insert = new NpgsqlBatch(connection) { BatchCommands = { rows.Upsert(document) } };
            await insert.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
    }

    private IAsyncEnumerable<Row> FoldAllAsync(
        DocumentShape document,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        var command = new NpgsqlCommand(
            """
            select tenant_id, stream_id, version, position, type, type_version, data from platform.events
            where stream_type = $1 order by tenant_id, stream_id, version
            """,
            connection
        )
        {
            CommandTimeout = 0,
        };
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = document.StreamType });
        return FoldAsync(document, command, cancellationToken);
    }

    private static NpgsqlCommand StreamCommand(StreamKey key, NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand(
            """
            select tenant_id, stream_id, version, position, type, type_version, data from platform.events
            where tenant_id = $1 and stream_id = $2 order by version
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = key.TenantId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = key.StreamId });
        return command;
    }

    // One row a stream, as the rows of its events come in order.
    private async IAsyncEnumerable<Row> FoldAsync(
        DocumentShape document,
        NpgsqlCommand command,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using (command)
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var key = default(StreamKey);
            object? state = null;
            var (version, position) = (0L, 0L);
            while (await reader.ReadAsync(cancellationToken))
            {
                var next = new StreamKey(reader.GetGuid(0), reader.GetGuid(1));
                if (state is not null && next != key)
                {
                    yield return new Row(key, version, position, document.Write(state));
                    state = null;
                }
                key = next;
                (version, position) = (reader.GetInt64(2), reader.GetInt64(3));
                state = document.Evolve(
                    state,
                    events.Read(reader.GetString(4), reader.GetInt16(5), reader.GetFieldValue<byte[]>(6), position)
                );
            }
            if (state is not null)
                yield return new Row(key, version, position, document.Write(state));
        }
    }

    private static async Task<Dictionary<StreamKey, Row>> ReadRowsAsync(
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
        AddKeys(command, [.. keys]);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new Dictionary<StreamKey, Row>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = new StreamKey(reader.GetGuid(0), reader.GetGuid(1));
            rows.Add(key, new Row(key, reader.GetInt64(2), reader.GetInt64(3), reader.GetFieldValue<byte[]>(4)));
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

    private static bool IsSame(Row stored, Row folded) =>
        stored.Version == folded.Version
        && stored.Position == folded.Position
        && stored.Json.AsSpan().SequenceEqual(folded.Json);

    private static void AddKeys(NpgsqlCommand command, IReadOnlyCollection<StreamKey> keys)
    {
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. keys.Select(k => k.TenantId)] });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. keys.Select(k => k.StreamId)] });
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
