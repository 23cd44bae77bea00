using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Messaging.Jobs;

/// <summary>A job that this instance runs: once, to whatever end, which it records.</summary>
internal sealed partial class RunningJob(
    TakenJob job,
    JobShape shape,
    Database database,
    IServiceProvider services,
    TimeProvider time,
    ILogger logger
) : IDisposable
{
    private static readonly TimeSpan RecordPatience = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = logger;

    // Ends by itself when the lease is not renewed in time.
    private readonly CancellationTokenSource _lease = new(JobLeases.Length, time);
    private volatile bool _isCancelled;
    private volatile bool _isShutDown;

    public JobKey Key => job.Key;

    public string Queue => shape.Queue;

    /// <summary>Ends when the job does, whatever its end; never fails.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    public void Start() => Completion = Task.Run(RunAsync, CancellationToken.None);

    public void Renewed(TimeSpan ago)
    {
        if (_isCancelled || _isShutDown)
            return;
        var left = JobLeases.Length - ago;
        if (left > TimeSpan.Zero)
            _lease.CancelAfter(left);
        else
            _lease.Cancel();
    }

    /// <summary>Somebody wants it to stop.</summary>
    public void Cancel()
    {
        _isCancelled = true;
        _lease.Cancel();
    }

    /// <summary>The instance stops before the job has ended: another one does it.</summary>
    public void GiveBack()
    {
        _isShutDown = true;
        _lease.Cancel();
    }

    /// <summary>Another instance has it.</summary>
    public void Lose() => _lease.Cancel();

    /// <summary>Gives back what does not stop although it was told to. It can never be recorded as done any more.</summary>
    public Task AbandonAsync() =>
        RecordAsync(c => JobLeases.ReleaseAsync(c, Key, TimeSpan.Zero, CancellationToken.None));

    public void Dispose() => _lease.Dispose();

    private async Task RunAsync()
    {
        try
        {
            await using var context = new JobContext(job, database);
            await using (var scope = services.CreateAsyncScope())
                await shape.HandleAsync(ReadPayload(), context, scope.ServiceProvider, _lease.Token);
            await FinishAsync(context);
        }
        catch (Exception e)
        {
            await EndAsync(e);
        }
    }

    private object ReadPayload()
    {
        try
        {
            return JsonSerializer.Deserialize(job.Payload, shape.PayloadType, JobCatalog.Json)
                ?? throw new JsonException("The payload is the JSON null.");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new UnreadableException(e);
        }
    }

    // In one message to the server, as with subscriptions: no instance can stop between the end and its commit.
    private async Task FinishAsync(JobContext context)
    {
        if (context.Transaction is not { } transaction)
        {
            await using var finish = database.Writes.CreateCommand("select platform.finish_job($1, $2, $3)");
            await finish.With(job.TenantId).With(job.Id).With(job.Epoch).ExecuteNonQueryAsync(CancellationToken.None);
            return;
        }
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        batch.Add("select platform.finish_job($1, $2, $3)").With(job.TenantId).With(job.Id).With(job.Epoch);
        batch.Add("commit");
        await batch.ExecuteNonQueryAsync(CancellationToken.None);
    }

    private async Task EndAsync(Exception e)
    {
        if (Failure.IsOutOfStep(e))
        {
            LogLost(shape.Name, job.Id);
            return;
        }
        if (_isCancelled)
        {
            await RecordAsync(c => JobLeases.CancelAsync(c, Key, CancellationToken.None));
            return;
        }
        if (_isShutDown || Failure.IsOfTheDatabase(e))
        {
            var pause = _isShutDown ? TimeSpan.Zero : Backoff.After(3);
            await RecordAsync(c => JobLeases.ReleaseAsync(c, Key, pause, CancellationToken.None));
            return;
        }
        if (_lease.IsCancellationRequested && e is OperationCanceledException)
        {
            LogLost(shape.Name, job.Id);
            return;
        }
        var isDead = job.Attempt >= shape.MaxAttempts || Failure.IsUnreadable(e);
        LogFailed(e, shape.Name, job.Id, job.Attempt, isDead);
        await RecordAsync(c =>
            JobLeases.FailAsync(c, Key, Failure.Reason(e), isDead, Backoff.After(job.Attempt), CancellationToken.None)
        );
    }

    private async Task RecordAsync(Func<NpgsqlConnection, Task> record)
    {
        try
        {
            using var patience = new CancellationTokenSource(RecordPatience, time);
            await using var connection = await database.Writes.OpenConnectionAsync(patience.Token);
            await record(connection);
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            // Its lease runs out, and whoever finds it records so.
            LogUnrecorded(shape.Name, job.Id, e.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The job {Name} {Id} failed, attempt {Attempt} (dead: {IsDead})")]
    private partial void LogFailed(Exception exception, string name, Guid id, int attempt, bool isDead);

    [LoggerMessage(LogLevel.Warning, "The job {Name} {Id} is another instance's now")]
    private partial void LogLost(string name, Guid id);

    [LoggerMessage(
        LogLevel.Warning,
        "The end of the job {Name} {Id} could not be recorded ({Reason}); its lease runs out"
    )]
    private partial void LogUnrecorded(string name, Guid id, string reason);
}
