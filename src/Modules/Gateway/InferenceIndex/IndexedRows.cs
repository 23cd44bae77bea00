using System.Collections;
using System.Runtime.InteropServices;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Messaging;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>The rows of one transaction: one COPY for the calls that began in it, one statement for the outcomes of others.</summary>
/// <param name="table">Where they go.</param>
internal sealed class IndexedRows(string table) : IMessageBatch
{
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
        await using var copy = await connection.BeginBinaryImportAsync(
            $"""
            copy {table} (tenant_id, id, version, started_at, ended_at, user_id, api_key_id, project_id, status, wire, model, deployment,
                provider, stream, recording, client_request_id, attempts, input_tokens, output_tokens, total_tokens, cached_input_tokens,
                cache_write_tokens, reasoning_tokens, is_estimated, cost, first_byte_ms, total_ms, error_code, error_status, words)
            from stdin binary
            """,
            cancellationToken
        );
        foreach (var row in _begun.Values)
        {
            var end = row.Outcome;
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(row.TenantId, cancellationToken);
            await copy.WriteAsync(row.Id, cancellationToken);
            await copy.WriteAsync(end?.Version ?? row.Version, cancellationToken);
            await copy.WriteAsync(row.StartedAt, NpgsqlDbType.TimestampTz, cancellationToken);
            await WriteAsync(copy, end?.EndedAt, NpgsqlDbType.TimestampTz, cancellationToken);
            await copy.WriteAsync(row.UserId, cancellationToken);
            await WriteAsync(copy, row.ApiKeyId, NpgsqlDbType.Uuid, cancellationToken);
            await WriteAsync(copy, row.ProjectId, NpgsqlDbType.Uuid, cancellationToken);
            await copy.WriteAsync(StatusWords.Of(end?.Status ?? InferenceStatus.Started), cancellationToken);
            await copy.WriteAsync(row.Wire, cancellationToken);
            await copy.WriteAsync(row.Model, cancellationToken);
            await copy.WriteAsync(end?.Last?.Deployment ?? row.Deployment, cancellationToken);
            await copy.WriteAsync(end?.Last?.Provider ?? row.Provider, cancellationToken);
            await copy.WriteAsync(row.Stream, cancellationToken);
            await copy.WriteAsync(StatusWords.Of(row.Recording), cancellationToken);
            await WriteTextAsync(copy, row.ClientRequestId, cancellationToken);
            await copy.WriteAsync((short)(end?.Attempts ?? 0), NpgsqlDbType.Smallint, cancellationToken);
            await WriteAsync(copy, end?.Usage?.InputTokens, NpgsqlDbType.Bigint, cancellationToken);
            await WriteAsync(copy, end?.Usage?.OutputTokens, NpgsqlDbType.Bigint, cancellationToken);
            await WriteAsync(copy, end?.Usage?.TotalTokens, NpgsqlDbType.Bigint, cancellationToken);
            await WriteAsync(copy, end?.Usage?.CachedInputTokens, NpgsqlDbType.Bigint, cancellationToken);
            await WriteAsync(copy, end?.Usage?.CacheWriteTokens, NpgsqlDbType.Bigint, cancellationToken);
            await WriteAsync(copy, end?.Usage?.ReasoningTokens, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(end?.Usage?.Estimated ?? false, cancellationToken);
            await WriteAsync(copy, end?.Cost, NpgsqlDbType.Numeric, cancellationToken);
            await WriteAsync(copy, end?.Latency?.FirstByteMs, NpgsqlDbType.Double, cancellationToken);
            await WriteAsync(copy, end?.Latency?.TotalMs, NpgsqlDbType.Double, cancellationToken);
            await WriteTextAsync(copy, end?.Error?.Code, cancellationToken);
            await WriteAsync(copy, end?.Error?.Status, NpgsqlDbType.Integer, cancellationToken);
            var words = WordsOf(row.Words.ToBits(), end?.Words.ToBits());
            if (words is null)
                await copy.WriteNullAsync(cancellationToken);
            else
                await copy.WriteAsync(words, NpgsqlDbType.Bit, cancellationToken);
        }
        await copy.CompleteAsync(cancellationToken);
    }

    private async Task UpdateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"""
            update {table} t set version = e.version, ended_at = e.ended_at, status = e.status, deployment = coalesce(e.deployment, t.deployment),
                provider = coalesce(e.provider, t.provider), attempts = e.attempts, input_tokens = e.input_tokens,
                output_tokens = e.output_tokens, total_tokens = e.total_tokens, cached_input_tokens = e.cached_input_tokens,
                cache_write_tokens = e.cache_write_tokens, reasoning_tokens = e.reasoning_tokens, is_estimated = e.is_estimated,
                cost = e.cost, first_byte_ms = e.first_byte_ms, total_ms = e.total_ms, error_code = e.error_code,
                error_status = e.error_status, words = coalesce(t.words | e.words::bit({WordSignature.Bits}), t.words, e.words)
            from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::smallint[],
                $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::boolean[], $16::numeric[],
                $17::double precision[], $18::double precision[], $19::text[], $20::int[], $21::varbit[])
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
        Add(command, NpgsqlDbType.Varbit, e => e.Words.ToBits());
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

    private static BitArray? WordsOf(BitArray? asked, BitArray? answered) =>
        asked is null ? answered
        : answered is null ? asked
        : asked.Or(answered);

    private static Task WriteAsync<T>(
        NpgsqlBinaryImporter copy,
        T? value,
        NpgsqlDbType type,
        CancellationToken cancellationToken
    )
        where T : struct =>
        value is { } present
            ? copy.WriteAsync(present, type, cancellationToken)
            : copy.WriteNullAsync(cancellationToken);

    private static Task WriteTextAsync(NpgsqlBinaryImporter copy, string? text, CancellationToken cancellationToken) =>
        text is null ? copy.WriteNullAsync(cancellationToken) : copy.WriteAsync(text, cancellationToken);
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

    public static string Of(RecordingLevel level) => JsonNamingPolicy.CamelCase.ConvertName(level.ToString());
}
