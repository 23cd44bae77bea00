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

internal sealed class DiscardJob : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/admin/jobs/{id:guid}/discard", HandleAsync)
            .RequireScope(Scopes.OperationsWrite)
            .WithTags("Operations")
            .WithSummary("Discard a dead job")
            .WithDescription("It is given up for good.")
            .WithResponseExample(StatusCodes.Status200OK, JobResponse.Example)
            .ProducesError(404, JobErrors.NotFound.Code, JobErrors.NotFound.Message)
            .ProducesError(409, JobErrors.NotDead.Code, JobErrors.NotDead.Message);

    internal static Decision Decide(Job job) =>
        Decision.Append(new JobDiscarded(job.Type)).AlsoWriting(JobRecords.Discard(job));

    private static Task<Results<Ok<JobResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The job.")] Guid id,
        Caller caller,
        HttpContext http,
        JobRecords jobs,
        DocumentStore store,
        CancellationToken cancellationToken
    ) => DecidedJob.AnswerAsync(caller.For(http), id, jobs, store, Decide, JobErrors.NotDead, cancellationToken);
}
