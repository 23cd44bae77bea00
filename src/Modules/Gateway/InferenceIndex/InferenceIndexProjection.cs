using Verbatim.Modules.Gateway.Inferences;
using Verbatim.Platform.Messaging;

namespace Verbatim.Modules.Gateway.InferenceIndex;

/// <summary>
/// The calls of every organization by what they are looked for: a row for each, of a few hundred bytes whatever its length. It is behind the log by
/// a fraction of a second; a call itself is read from the log.
/// </summary>
/// <remarks>
/// Nothing that was said stands in it: of the words there are keyed hashes (<see cref="WordSignature"/>), which go when the person is erased,
/// since the projection is then built anew. Nothing that an outcome changes is part of an index, so that rows are changed in place.
/// </remarks>
[Projection("gateway.inferences", Version = 1, BatchSize = 5000)]
internal static class InferenceIndexProjection
{
    /// <summary>What it is read by.</summary>
    public const string View = "gateway.inferences";

    public static string CreateTableSql(string table) =>
        $"""
            create table {table} (
                tenant_id uuid not null,
                id uuid not null,
                version bigint not null,
                started_at timestamptz not null,
                ended_at timestamptz,
                user_id uuid not null,
                api_key_id uuid,
                project_id uuid,
                status text collate "C" not null,
                wire text collate "C" not null,
                model text collate "C" not null,
                deployment text collate "C" not null,
                provider text collate "C" not null,
                stream boolean not null,
                recording text collate "C" not null,
                client_request_id text collate "C",
                attempts smallint not null,
                input_tokens bigint,
                output_tokens bigint,
                total_tokens bigint,
                cached_input_tokens bigint,
                cache_write_tokens bigint,
                reasoning_tokens bigint,
                is_estimated boolean not null,
                cost numeric,
                first_byte_ms double precision,
                total_ms double precision,
                error_code text collate "C",
                error_status int,
                words bit({WordSignature.Bits}),
                primary key (tenant_id, id)
            ) with (fillfactor = 60, autovacuum_vacuum_insert_scale_factor = 0.5);
            create index on {table} (tenant_id, user_id, id);
            create index on {table} (tenant_id, model, id);
            create index on {table} (tenant_id, api_key_id, id) where api_key_id is not null;
            create index on {table} (tenant_id, project_id, id) where project_id is not null;
            create index on {table} (tenant_id, client_request_id, id) where client_request_id is not null;
            """;

    public static async Task HandleAsync(
        InferenceStarted started,
        Message message,
        SearchKeys keys,
        CancellationToken cancellationToken
    )
    {
        var recorded = message.Recorded;
        var row = new IndexedInference
        {
            TenantId = recorded.TenantId,
            Id = recorded.StreamId,
            Version = recorded.Version,
            StartedAt = recorded.Time.UtcDateTime,
            UserId = started.UserId,
            ApiKeyId = InferenceResponse.ApiKeyOf(recorded.Actor),
            ProjectId = started.ProjectId,
            Wire = started.Wire,
            Model = StorableText.Of(started.Model),
            Deployment = started.Deployment,
            Provider = started.Provider,
            Stream = started.Stream,
            Recording = started.Recording,
            ClientRequestId = started.ClientRequestId,
        };
        if (started.Request is { } request)
        {
            var key = await keys.OfAsync(recorded.TenantId, cancellationToken);
            BodyText.ReadRequest(request.Utf8.Span, new Words(key, row.Words.Add));
        }
        RowsOf(message).Begin(row);
    }

    public static Task HandleAsync(
        InferenceCompleted completed,
        Message message,
        SearchKeys keys,
        CancellationToken cancellationToken
    ) => EndAsync(InferenceStatus.Completed, completed, error: null, message, keys, cancellationToken);

    public static Task HandleAsync(
        InferenceFailed failed,
        Message message,
        SearchKeys keys,
        CancellationToken cancellationToken
    ) => EndAsync(InferenceStatus.Failed, failed, failed.Error, message, keys, cancellationToken);

    public static Task HandleAsync(
        InferenceCancelled cancelled,
        Message message,
        SearchKeys keys,
        CancellationToken cancellationToken
    ) => EndAsync(InferenceStatus.Cancelled, cancelled, error: null, message, keys, cancellationToken);

    public static Task HandleAsync(InferenceOutcomeLost lost, Message message)
    {
        RowsOf(message).End(IndexedOutcome.Of(message.Recorded, InferenceStatus.Unknown));
        return Task.CompletedTask;
    }

    private static async Task EndAsync(
        InferenceStatus status,
        IInferenceOutcome outcome,
        InferenceError? error,
        Message message,
        SearchKeys keys,
        CancellationToken cancellationToken
    )
    {
        var recorded = message.Recorded;
        var end = IndexedOutcome.Of(recorded, status);
        end.Tell(outcome, error);
        if (outcome.Response is { } response)
        {
            var key = await keys.OfAsync(recorded.TenantId, cancellationToken);
            BodyText.ReadAnswer(response.Utf8.Span, new Words(key, end.Words.Add));
        }
        RowsOf(message).End(end);
    }

    private static IndexedRows RowsOf(Message message) => message.Together(() => new IndexedRows(message.Table));
}
