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

internal sealed class GetJob : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/admin/jobs/{id:guid}", HandleAsync)
            .RequireScope(Scopes.OperationsRead)
            .WithTags("Operations")
            .WithSummary("Get a job")
            .WithDescription("With what it was given to do.")
            .WithResponseExample(
                StatusCodes.Status200OK,
                JobResponse.Example with
                {
                    Payload = new RawJson("""{"fileId":"0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77"}"""u8.ToArray()),
                }
            )
            .ProducesError(404, JobErrors.NotFound.Code, JobErrors.NotFound.Message);

    private static async Task<Results<Ok<JobResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The job.")] Guid id,
        Caller caller,
        JobRecords jobs,
        CancellationToken cancellationToken
    ) =>
        await jobs.FindAsync(caller.TenantId, id, cancellationToken) is { } job
            ? TypedResults.Ok(JobResponse.From(job, withPayload: true))
            : Problems.Create(JobErrors.NotFound);
}
