using System.Runtime.CompilerServices;
using Npgsql;
using Verbatim.Platform.PersonalData;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Events;

/// <summary>A document's row, as it is or as it should be.</summary>
internal sealed record DocumentRow(StreamKey Key, long Version, long Position, byte[] Json);

/// <summary>Folds documents anew from their events, and puts the result in the place of their rows.</summary>
internal sealed class DocumentRepair(Database database, EventReader reader, SubjectKeys keys, TimeProvider time)
{
    /// <summary>So many documents are dealt with at a time.</summary>
    public const int BatchSize = 500;

    // Each batch refuses whatever was decided on a state that was loaded before it: long enough to load a state and to append.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Replaces the rows of documents, <see cref="BatchSize"/> in a transaction. Appends wait for one such transaction at most, and what was
    /// decided on a state that was loaded before it is decided again.
    /// </summary>
    public async Task RepairAsync(
        DocumentShape document,
        IReadOnlyCollection<StreamKey> documents,
        CancellationToken cancellationToken
    )
    {
        var isFirst = true;
        foreach (var batch in documents.Chunk(BatchSize))
        {
            if (!isFirst)
                await Task.Delay(Pause, time, cancellationToken);
            isFirst = false;
            await RepairBatchAsync(document, batch, cancellationToken);
        }
    }

    private async Task RepairBatchAsync(DocumentShape document, StreamKey[] batch, CancellationToken cancellationToken)
    {
        await using var connection = await database.Writes.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginWatchedAsync(cancellationToken);
        // Nobody appends until this commits, and a state that was loaded before it is no base for the next one.
        await ExecuteAsync(
            connection,
            "update platform.sequencer set documents_generation = documents_generation + 1",
            cancellationToken
        );
        await using (
            var delete = new NpgsqlCommand(
                $"delete from {document.Table} d using unnest($1::uuid[], $2::uuid[]) k(t, i) where d.tenant_id = k.t and d.id = k.i",
                connection
            )
        )
        {
            AddKeys(delete, batch);
            await delete.ExecuteNonQueryAsync(cancellationToken);
        }

        var rows = new DocumentRows();
        foreach (var key in batch)
        {
            await foreach (var row in FoldAsync(document, StreamCommand(key, connection), cancellationToken))
                rows.Set(row.Key, row.Version, row.Position, row.Json);
        }
        if (rows.Count > 0)
        {
            await using var insert = new NpgsqlBatch(connection) { BatchCommands = { rows.Upsert(document) } };
            await insert.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>All documents of a type, folded from the log that the connection sees.</summary>
    public IAsyncEnumerable<DocumentRow> FoldAllAsync(
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
    private async IAsyncEnumerable<DocumentRow> FoldAsync(
        DocumentShape document,
        NpgsqlCommand command,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using (command)
        {
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            var key = default(StreamKey);
            object? state = null;
            var others = default(StreamKey?);
            var (version, position) = (0L, 0L);
            while (await rows.ReadAsync(cancellationToken))
            {
                var next = new StreamKey(rows.GetGuid(0), rows.GetGuid(1));
                if (state is not null && next != key)
                {
                    yield return await RowAsync();
                    state = null;
                }
                if (next == others)
                    continue;
                key = next;
                (version, position) = (rows.GetInt64(2), rows.GetInt64(3));
                var @event = await reader.ReadAsync(
                    key.TenantId,
                    key.StreamId,
                    rows.GetString(4),
                    rows.GetInt16(5),
                    rows.GetFieldValue<byte[]>(6),
                    position,
                    cancellationToken
                );
                if (state is null && !document.IsBegunBy(@event))
                {
                    others = key;
                    continue;
                }
                state = document.Evolve(state, @event);
            }
            if (state is not null)
                yield return await RowAsync();

            async ValueTask<DocumentRow> RowAsync() =>
                new(
                    key,
                    version,
                    position,
                    await document.WriteRowAsync(state, key.TenantId, key.StreamId, keys, cancellationToken)
                );
        }
    }

    public static void AddKeys(NpgsqlCommand command, IReadOnlyCollection<StreamKey> keys)
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
