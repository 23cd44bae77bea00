using System.Globalization;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.Jobs;

/// <summary>The jobs of all organizations, for whoever runs the server.</summary>
[Command(
    "jobs",
    Usage = "[waiting|running|done|cancelled|dead|discarded] | retry|discard|cancel <id>",
    Summary = "Lists jobs, dead ones unless told otherwise, or has one tried again, given up or stopped."
)]
internal sealed class JobsCommand(JobRecords jobs, DocumentStore store) : ICommand
{
    private const int MaxRows = 200;

    public async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        switch (arguments)
        {
            case []:
                return await ListAsync("dead", output, cancellationToken);
            case ["waiting" or "running" or "done" or "cancelled" or "dead" or "discarded"]:
                return await ListAsync(arguments[0], output, cancellationToken);
            case ["retry" or "discard" or "cancel", var text] when Guid.TryParse(text, out var id):
                return await DecideAsync(arguments[0], id, output, cancellationToken);
            case ["retry" or "discard" or "cancel", var text]:
                throw new CommandUsageException($"'{text}' is not the id of a job.");
            default:
                throw new CommandUsageException($"'{string.Join(' ', arguments)}' is not understood.");
        }
    }

    private async Task<int> ListAsync(string status, TextWriter output, CancellationToken cancellationToken)
    {
        var read = await jobs.ListAsync(null, null, null, status, before: null, MaxRows, cancellationToken);
        foreach (var job in read)
        {
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{job.Id}  {job.Type}  queue {job.Queue}  {job.Attempts} attempts, enqueued {job.EnqueuedAt:u}, due {job.DueAt:u}"
                )
            );
            if (job.Reason is not null)
                await output.WriteLineAsync($"  {job.Reason}");
        }
        if (read.Count == 0)
            await output.WriteLineAsync($"No job is {status}.");
        if (read.Count == MaxRows)
            await output.WriteLineAsync($"These are the newest {MaxRows}; GET /api/admin/jobs has all.");
        return 0;
    }

    private async Task<int> DecideAsync(string verb, Guid id, TextWriter output, CancellationToken cancellationToken)
    {
        if (await jobs.FindAsync(tenantId: null, id, cancellationToken) is not { } job)
        {
            await output.WriteLineAsync($"There is no job {id}.");
            return 1;
        }
        Func<Job, Decision> decide = verb switch
        {
            "retry" => RetryJob.Decide,
            "discard" => DiscardJob.Decide,
            _ => CancelJob.Decide,
        };
        if (!await DecidedJob.TryAsync(Operator.For(job.TenantId), job, store, decide, cancellationToken))
        {
            var error = verb == "cancel" ? JobErrors.Finished : JobErrors.NotDead;
            await output.WriteLineAsync($"{error.Message} It is {job.Status}.");
            return 1;
        }
        await output.WriteLineAsync($"{id}: {verb}. A running server does it.");
        return 0;
    }
}
