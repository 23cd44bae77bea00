using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Operations.Jobs;

internal static class JobErrors
{
    public static readonly HttpError NotFound = new(
        StatusCodes.Status404NotFound,
        "operations.job-not-found",
        "There is no such job; finished ones are kept for some days."
    );

    public static readonly HttpError NotDead = new(
        StatusCodes.Status409Conflict,
        "operations.job-not-dead",
        "Only a dead job can be retried or discarded, and only while no other with its unique key waits or runs."
    );

    public static readonly HttpError Finished = new(
        StatusCodes.Status409Conflict,
        "operations.job-finished",
        "Only a job that waits or runs can be cancelled."
    );
}
