using Microsoft.AspNetCore.Http;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Operations.DeadLetters;

internal static class DeadLetterErrors
{
    public static readonly HttpError NotFound = new(
        StatusCodes.Status404NotFound,
        "operations.dead-letter-not-found",
        "There is no such dead letter."
    );

    public static readonly HttpError NotWaiting = new(
        StatusCodes.Status409Conflict,
        "operations.dead-letter-not-waiting",
        "It does not wait for a decision: it is parked behind an earlier one of its stream, or decided about already."
    );
}
