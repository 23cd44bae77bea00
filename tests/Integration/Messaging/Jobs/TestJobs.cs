using System.Collections.Concurrent;
using Npgsql;
using Verbatim.Platform.Messaging.Jobs;

namespace Verbatim.Tests.Integration.Messaging.Jobs;

internal sealed record Chore(long Number, string Kind = "");

internal sealed record Errand(long Number, string Kind = "");

/// <summary>What the jobs of these tests do: they write a row in their transaction, or what their kind says.</summary>
internal sealed class Worker(string instance)
{
    public const string Schema = "create table public.worked (n bigserial, number bigint, attempt int, instance text)";

    private int _together;

    public ConcurrentQueue<long> Begun { get; } = new();

    public ConcurrentQueue<long> Stopped { get; } = new();

    public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int MostTogether { get; private set; }

    public async Task WorkAsync(long number, string kind, JobContext context, CancellationToken cancellationToken)
    {
        Begun.Enqueue(number);
        MostTogether = Math.Max(MostTogether, Interlocked.Increment(ref _together));
        try
        {
            var transaction = await context.BeginAsync(cancellationToken);
            await using var command = new NpgsqlCommand(
                "insert into public.worked (number, attempt, instance) values ($1, $2, $3)",
                transaction.Connection
            );
            foreach (object value in (object[])[number, context.Attempt, instance])
                command.Parameters.AddWithValue(value);
            await command.ExecuteNonQueryAsync(cancellationToken);
            if (kind == "fails" || (kind == "fails once" && context.Attempt == 1))
                throw new InvalidOperationException($"Number {number} fails.");
            if (kind == "waits")
                await Gate.Task.WaitAsync(cancellationToken);
            if (kind == "deaf")
                await Gate.Task;
            if (kind == "takes a little")
            {
                await using var sleep = new NpgsqlCommand("select pg_sleep(0.002)", transaction.Connection);
                await sleep.ExecuteNonQueryAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            Stopped.Enqueue(number);
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _together);
        }
    }
}

[Job("test.chore", Concurrency = 4, MaxAttempts = 3)]
internal static class DoChore
{
    public static Task HandleAsync(
        Chore chore,
        JobContext context,
        Worker worker,
        CancellationToken cancellationToken
    ) => worker.WorkAsync(chore.Number, chore.Kind, context, cancellationToken);
}

internal sealed record Duty(long Number);

[Job("test.duty", Queue = "soak", Concurrency = 8, MaxAttempts = 1000)]
internal static class DoDuty
{
    public static Task HandleAsync(Duty duty, JobContext context, Worker worker, CancellationToken cancellationToken) =>
        worker.WorkAsync(duty.Number, "", context, cancellationToken);
}

[Job("test.errand", Queue = "one-by-one", Concurrency = 1)]
internal static class DoErrand
{
    public static Task HandleAsync(
        Errand errand,
        JobContext context,
        Worker worker,
        CancellationToken cancellationToken
    ) => worker.WorkAsync(errand.Number, errand.Kind, context, cancellationToken);
}
