using System.Text.Json;
using Npgsql;
using Verbatim.Platform.Events;

namespace Verbatim.Platform.Messaging.Jobs;

/// <summary>When and in which order a job is done.</summary>
public sealed record JobOptions
{
    /// <summary>Not before this moment; at once if left out.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Among jobs that are due the highest goes first; 0 unless set.</summary>
    public int Priority { get; init; }

    /// <summary>
    /// As long as a job of this type with this key is waiting or running in the organization, another is not enqueued: 200 characters at
    /// most.
    /// </summary>
    public string? UniqueKey { get; init; }
}

/// <summary>Enqueues jobs, in the transaction of whatever wants them done: either both happen or neither.</summary>
public sealed class JobEnqueuer
{
    /// <summary>The most bytes of a payload as JSON.</summary>
    public const int MaxPayloadBytes = 8 * 1024;

    private const int MaxKeyLength = 200;

    private readonly JobCatalog _catalog;
    private readonly IdSource _ids;

    internal JobEnqueuer(JobCatalog catalog, IdSource ids)
    {
        _catalog = catalog;
        _ids = ids;
    }

    /// <summary>A job for the transaction of an append: hand it to <see cref="Decision.AlsoWriting"/>.</summary>
    /// <param name="context">For which organization and request.</param>
    /// <param name="payload">Ids and numbers. Never personal data: it is not erased with a person.</param>
    /// <param name="options">When and in which order.</param>
    /// <exception cref="ArgumentException">The payload or the key is too large.</exception>
    /// <exception cref="InvalidOperationException">No job takes such a payload.</exception>
    public SqlWrite Enqueue<TPayload>(AppendContext context, TPayload payload, JobOptions? options = null)
        where TPayload : class
    {
        ArgumentNullException.ThrowIfNull(payload);
        options ??= new JobOptions();
        var shape = _catalog.Of(typeof(TPayload));
        var json = JsonSerializer.SerializeToUtf8Bytes(payload, JobCatalog.Json);
        if (json.Length > MaxPayloadBytes)
            throw new ArgumentException(
                $"The payload of '{shape.Name}' has {json.Length} bytes; at most {MaxPayloadBytes} are kept. Refer to what is large by its id.",
                nameof(payload)
            );
        if (options.UniqueKey?.Length > MaxKeyLength)
            throw new ArgumentException($"A unique key has at most {MaxKeyLength} characters.", nameof(options));
        return new SqlWrite(
            $"""
            insert into platform.jobs (tenant_id, id, type, queue, payload, unique_key, priority, actor, correlation, due_at)
            values ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8, $9, {(
                options.DueAt is null ? "clock_timestamp()" : "$10"
            )})
            on conflict (tenant_id, type, unique_key) where status in ('waiting', 'running') do nothing
            """,
            [
                context.TenantId,
                _ids.New(),
                shape.Name,
                shape.Queue,
                System.Text.Encoding.UTF8.GetString(json),
                options.UniqueKey ?? "",
                options.Priority,
                context.Actor,
                context.Correlation,
                .. options.DueAt is { } due ? (object[])[due.UtcDateTime] : [],
            ]
        );
    }

    /// <summary>Enqueues a job in a transaction that is open: that of a subscription's message, for instance.</summary>
    /// <returns>False when one with the same unique key is not finished.</returns>
    /// <inheritdoc cref="Enqueue{TPayload}(AppendContext, TPayload, JobOptions?)"/>
    public async Task<bool> EnqueueAsync<TPayload>(
        NpgsqlTransaction transaction,
        AppendContext context,
        TPayload payload,
        JobOptions? options,
        CancellationToken cancellationToken
    )
        where TPayload : class
    {
        ArgumentNullException.ThrowIfNull(transaction);
        var write = Enqueue(context, payload, options);
        await using var command = new NpgsqlCommand(write.Text, transaction.Connection, transaction);
        foreach (var parameter in write.Parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }
}
