using System.Runtime.InteropServices;
using Npgsql;
using NpgsqlTypes;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>The rows of one transaction: one COPY for the calls that began in it, one statement for the outcomes of others.</summary>
/// <param name="table">Where they go.</param>
internal sealed class IndexedRows(string table) : IMessageBatch
{
    // Its buffer is large, and wanted many times a second.
    private static BinaryCopy? s_copy;

    private readonly Dictionary<Key, IndexedInference> _begun = [];
    private readonly Dictionary<Key, IndexedOutcome> _ended = [];

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Key(Guid TenantId, Guid Id);

    /// <summary>A call began.</summary>
    public void Begin(IndexedInference row) => _begun.Add(new Key(row.TenantId, row.Id), row);

    /// <summary>A call ended. One whose instance was only taken for dead ends twice: the last counts.</summary>
    public void End(IndexedOutcome outcome)
    {
        var key = new Key(outcome.TenantId, outcome.Id);
        if (_begun.TryGetValue(key, out var row))
            row.Outcome = outcome;
        else
            _ended[key] = outcome;
    }

    /// <inheritdoc/>
    public async Task WriteAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection!;
        if (_begun.Count > 0)
            await InsertAsync(connection, cancellationToken);
        if (_ended.Count > 0)
            await UpdateAsync(connection, cancellationToken);
    }

    private async Task InsertAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var copy = Interlocked.Exchange(ref s_copy, null) ?? new BinaryCopy();
        copy.Begin();
        foreach (var row in _begun.Values)
            Add(copy, row);
        await using var stream = await connection.BeginRawBinaryCopyAsync(
            $"""
            copy {table} (tenant_id, id, version, started_at, ended_at, user_id, api_key_id, project_id, status, wire, model, deployment,
                provider, stream, recording, client_request_id, attempts, input_tokens, output_tokens, total_tokens, cached_input_tokens,
                cache_write_tokens, reasoning_tokens, is_estimated, cost, first_byte_ms, total_ms, error_code, error_status, words)
            from stdin binary
            """,
            cancellationToken
        );
        await copy.WriteToAsync(stream, cancellationToken);
        s_copy = copy;
    }

    private static void Add(BinaryCopy copy, IndexedInference row)
    {
        var end = row.Outcome;
        copy.AddRow(30);
        copy.Add(row.TenantId);
        copy.Add(row.Id);
        copy.Add(end?.Version ?? row.Version);
        copy.AddTime(row.StartedAt);
        copy.AddTime(end?.EndedAt);
        copy.Add(row.UserId);
        copy.Add(row.ApiKeyId);
        copy.Add(row.ProjectId);
        copy.Add(StatusWords.Of(end?.Status ?? InferenceStatus.Started));
        copy.Add(row.Wire);
        copy.Add(row.Model);
        copy.Add(end?.Last?.Deployment ?? row.Deployment);
        copy.Add(end?.Last?.Provider ?? row.Provider);
        copy.Add(row.Stream);
        copy.Add(StatusWords.Of(row.Recording));
        copy.Add(row.ClientRequestId);
        copy.Add((short)(end?.Attempts ?? 0));
        copy.Add(end?.Usage?.InputTokens);
        copy.Add(end?.Usage?.OutputTokens);
        copy.Add(end?.Usage?.TotalTokens);
        copy.Add(end?.Usage?.CachedInputTokens);
        copy.Add(end?.Usage?.CacheWriteTokens);
        copy.Add(end?.Usage?.ReasoningTokens);
        copy.Add(end?.Usage?.Estimated ?? false);
        copy.Add(end?.Cost);
        copy.Add(end?.Latency?.FirstByteMs);
        copy.Add(end?.Latency?.TotalMs);
        copy.Add(end?.Error?.Code);
        copy.Add(end?.Error?.Status);
        if (end is not null)
            row.Words.Add(end.Words);
        if (row.Words.IsEmpty)
            copy.AddNull();
        else
            copy.AddBits(row.Words.Bytes);
    }

    private async Task UpdateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var words = WordSignature.SqlOf("e.words");
        await using var command = new NpgsqlCommand(
            $"""
            update {table} t set version = e.version, ended_at = e.ended_at, status = e.status, deployment = coalesce(e.deployment, t.deployment),
                provider = coalesce(e.provider, t.provider), attempts = e.attempts, input_tokens = e.input_tokens,
                output_tokens = e.output_tokens, total_tokens = e.total_tokens, cached_input_tokens = e.cached_input_tokens,
                cache_write_tokens = e.cache_write_tokens, reasoning_tokens = e.reasoning_tokens, is_estimated = e.is_estimated,
                cost = e.cost, first_byte_ms = e.first_byte_ms, total_ms = e.total_ms, error_code = e.error_code,
                error_status = e.error_status, words = coalesce(t.words | {words}, t.words, {words})
            from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::smallint[],
                $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::boolean[], $16::numeric[],
                $17::double precision[], $18::double precision[], $19::text[], $20::int[], $21::bytea[])
                e(tenant_id, id, version, ended_at, status, deployment, provider, attempts, input_tokens, output_tokens, total_tokens,
                    cached_input_tokens, cache_write_tokens, reasoning_tokens, is_estimated, cost, first_byte_ms, total_ms, error_code,
                    error_status, words)
            where t.tenant_id = e.tenant_id and t.id = e.id
            """,
            connection
        );
        Add(command, NpgsqlDbType.Uuid, e => e.TenantId);
        Add(command, NpgsqlDbType.Uuid, e => e.Id);
        Add(command, NpgsqlDbType.Bigint, e => e.Version);
        Add(command, NpgsqlDbType.TimestampTz, e => e.EndedAt);
        Add(command, NpgsqlDbType.Text, e => StatusWords.Of(e.Status));
        Add(command, NpgsqlDbType.Text, e => e.Last?.Deployment);
        Add(command, NpgsqlDbType.Text, e => e.Last?.Provider);
        Add(command, NpgsqlDbType.Smallint, e => (short)e.Attempts);
        Add(command, NpgsqlDbType.Bigint, e => e.Usage?.InputTokens);
        Add(command, NpgsqlDbType.Bigint, e => e.Usage?.OutputTokens);
        Add(command, NpgsqlDbType.Bigint, e => e.Usage?.TotalTokens);
        Add(command, NpgsqlDbType.Bigint, e => e.Usage?.CachedInputTokens);
        Add(command, NpgsqlDbType.Bigint, e => e.Usage?.CacheWriteTokens);
        Add(command, NpgsqlDbType.Bigint, e => e.Usage?.ReasoningTokens);
        Add(command, NpgsqlDbType.Boolean, e => e.Usage?.Estimated ?? false);
        Add(command, NpgsqlDbType.Numeric, e => e.Cost);
        Add(command, NpgsqlDbType.Double, e => e.Latency?.FirstByteMs);
        Add(command, NpgsqlDbType.Double, e => e.Latency?.TotalMs);
        Add(command, NpgsqlDbType.Text, e => e.Error?.Code);
        Add(command, NpgsqlDbType.Integer, e => e.Error?.Status);
        Add(command, NpgsqlDbType.Bytea, e => e.Words.IsEmpty ? null : e.Words.Bytes);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private void Add<T>(NpgsqlCommand command, NpgsqlDbType type, Func<IndexedOutcome, T> value) =>
        command.Parameters.Add(
            new NpgsqlParameter
            {
                Value = _ended.Values.Select(value).ToArray(),
                NpgsqlDbType = NpgsqlDbType.Array | type,
            }
        );
}

/// <summary>States as they stand in rows and answers.</summary>
internal static class StatusWords
{
    public static string Of(InferenceStatus status) =>
        status switch
        {
            InferenceStatus.Started => "started",
            InferenceStatus.Completed => "completed",
            InferenceStatus.Failed => "failed",
            InferenceStatus.Cancelled => "cancelled",
            InferenceStatus.Unknown => "unknown",
            _ => throw new ArgumentOutOfRangeException(nameof(status), status, "Not a status."),
        };

    public static string Of(RecordingLevel level) =>
        level switch
        {
            RecordingLevel.Full => "full",
            RecordingLevel.Metadata => "metadata",
            _ => throw new ArgumentOutOfRangeException(nameof(level), level, "Not a level."),
        };
}
