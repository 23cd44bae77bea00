using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Messaging.Jobs;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.Jobs;

/// <summary>Which jobs to list.</summary>
public sealed record ListJobsRequest
{
    /// <summary>The type.</summary>
    [RegularExpression("[a-z0-9.-]{1,80}", ErrorMessage = "Give the name of a job, in lower case.")]
    [Description("Only jobs of this type.")]
    public string? Type { get; init; }

    /// <summary>The queue.</summary>
    [RegularExpression("[a-z0-9.-]{1,80}", ErrorMessage = "Give the name of a queue, in lower case.")]
    [Description("Only jobs of this queue.")]
    public string? Queue { get; init; }

    /// <summary>The status.</summary>
    [AllowedValues(
        null,
        "waiting",
        "running",
        "done",
        "cancelled",
        "dead",
        "discarded",
        ErrorMessage = "Give one of: waiting, running, done, cancelled, dead, discarded."
    )]
    [Description("Only jobs of this status: `waiting`, `running`, `done`, `cancelled`, `dead`, `discarded`.")]
    public string? Status { get; init; }
}

internal sealed class ListJobs : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/admin/jobs", HandleAsync)
            .RequireScope(Scopes.OperationsRead)
            .WithTags("Operations")
            .WithSummary("List jobs")
            .WithDescription(
                "The jobs of your organization, newest first. Finished ones are kept for some days. Send the same filters with the cursor."
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<JobResponse>([JobResponse.Example], NextCursor: null)
            )
            .ProducesError(400, IdCursor.Invalid.Code, IdCursor.Invalid.Message);

    private static async Task<Results<Ok<Page<JobResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] ListJobsRequest request,
        [AsParameters] PageRequest page,
        Caller caller,
        JobRecords jobs,
        CancellationToken cancellationToken
    )
    {
        if (!IdCursor.TryRead(page.Cursor, out var before))
            return Problems.Create(IdCursor.Invalid);
        var read = await jobs.ListAsync(
            caller.TenantId,
            request.Type,
            request.Queue,
            request.Status,
            before,
            page.Rows + 1,
            cancellationToken
        );
        var rows = read.Take(page.Rows).Select(j => JobResponse.From(j, withPayload: false)).ToList();
        return TypedResults.Ok(
            new Page<JobResponse>(rows, read.Count > page.Rows ? IdCursor.Write(rows[^1].Id) : null)
        );
    }
}
