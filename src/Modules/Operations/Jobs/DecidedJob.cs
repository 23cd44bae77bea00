using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Messaging.Jobs;

namespace Verbatim.Modules.Operations.Jobs;

/// <summary>Carries out a decision about a job, and records it.</summary>
internal static class DecidedJob
{
    public static async Task<Results<Ok<JobResponse>, ProblemHttpResult>> AnswerAsync(
        AppendContext context,
        Guid id,
        JobRecords jobs,
        DocumentStore store,
        Func<Job, Decision> decide,
        HttpError tooLate,
        CancellationToken cancellationToken
    )
    {
        if (await jobs.FindAsync(context.TenantId, id, cancellationToken) is not { } job)
            return Problems.Create(JobErrors.NotFound);
        if (!await TryAsync(context, job, store, decide, cancellationToken))
            return Problems.Create(tooLate);
        var after = await jobs.FindAsync(context.TenantId, id, cancellationToken);
        return TypedResults.Ok(JobResponse.From(after ?? job, withPayload: false));
    }

    /// <returns>False when the job is not in a state for it, or was not any more.</returns>
    public static async Task<bool> TryAsync(
        AppendContext context,
        Job job,
        DocumentStore store,
        Func<Job, Decision> decide,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await store.DecideAsync<JobDecision>(context, job.Id, _ => decide(job), cancellationToken);
            return true;
        }
        catch (PostgresException e)
            when (e.SqlState == JobRecords.HasGoneOn
                || e is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "jobs_unique_key" }
            )
        {
            return false;
        }
    }
}
