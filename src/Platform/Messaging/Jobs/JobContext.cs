using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging.Jobs;

/// <summary>What a job gets beside its payload.</summary>
public sealed class JobContext : IAsyncDisposable
{
    private readonly Database _database;
    private NpgsqlConnection? _connection;

    internal JobContext(TakenJob job, Database database)
    {
        _database = database;
        TenantId = job.TenantId;
        Id = job.Id;
        Attempt = job.Attempt;
        Appends = new AppendContext(job.TenantId, "system:" + job.Type, job.Correlation);
    }

    /// <summary>The organization.</summary>
    public Guid TenantId { get; }

    /// <summary>The job: the same at each attempt, so it serves as an idempotency key.</summary>
    public Guid Id { get; }

    /// <summary>1 for the first.</summary>
    public int Attempt { get; }

    /// <summary>What its own appends are stored with: the job as the actor, and the request that enqueued it.</summary>
    public AppendContext Appends { get; }

    internal NpgsqlTransaction? Transaction { get; private set; }

    /// <summary>
    /// The transaction that also ends the job: what is written through its connection happens exactly once. It begins here, so that a job
    /// that takes long need not hold one open.
    /// </summary>
    public async ValueTask<NpgsqlTransaction> BeginAsync(CancellationToken cancellationToken)
    {
        if (Transaction is not null)
            return Transaction;
        _connection = await _database.Writes.OpenConnectionAsync(cancellationToken);
        return Transaction = await _connection.BeginTransactionAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Transaction is not null)
            await Transaction.DisposeAsync();
        if (_connection is not null)
            await _connection.DisposeAsync();
        (Transaction, _connection) = (null, null);
    }
}
