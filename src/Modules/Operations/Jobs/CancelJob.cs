using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.Jobs;

internal sealed class CancelJob : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/admin/jobs/{id:guid}/cancel", HandleAsync)
            .RequireScope(Scopes.OperationsWrite)
            .WithTags("Operations")
            .WithSummary("Cancel a job")
            .WithDescription(
                "One that waits is not begun; one that runs is told to stop within a second. What it did in its own transaction is rolled back; what it did elsewhere stays."
            )
            .WithResponseExample(StatusCodes.Status200OK, JobResponse.Example)
            .ProducesError(404, JobErrors.NotFound.Code, JobErrors.NotFound.Message)
            .ProducesError(409, JobErrors.Finished.Code, JobErrors.Finished.Message);

    internal static Decision Decide(Job job) =>
        Decision.Append(new JobCancelled(job.Type)).AlsoWriting(JobRecords.Cancel(job));

    private static Task<Results<Ok<JobResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The job.")] Guid id,
        Caller caller,
        HttpContext http,
        JobRecords jobs,
        DocumentStore store,
        CancellationToken cancellationToken
    ) => DecidedJob.AnswerAsync(caller.For(http), id, jobs, store, Decide, JobErrors.Finished, cancellationToken);
}
