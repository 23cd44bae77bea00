using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.DeadLetters;

internal sealed class GetDeadLetter : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/admin/dead-letters/{id:guid}", HandleAsync)
            .RequireScope(Scopes.OperationsRead)
            .WithTags("Operations")
            .WithSummary("Get a dead letter")
            .WithDescription(
                "With the event's data as it stands in the log: it is kept nowhere else, so what was erased there is erased here."
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                DeadLetterResponse.Example with
                {
                    Payload = new RawJson("""{"status":200}"""u8.ToArray()),
                }
            )
            .ProducesError(404, DeadLetterErrors.NotFound.Code, DeadLetterErrors.NotFound.Message);

    private static async Task<Results<Ok<DeadLetterResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The dead letter.")] Guid id,
        Caller caller,
        Platform.Messaging.DeadLetters letters,
        CancellationToken cancellationToken
    )
    {
        if (await letters.FindAsync(caller.TenantId, id, cancellationToken) is not { } letter)
            return Problems.Create(DeadLetterErrors.NotFound);
        var recorded = await letters.ReadEventAsync(letter, cancellationToken);
        return TypedResults.Ok(DeadLetterResponse.From(letter, recorded is null ? null : new RawJson(recorded.Data)));
    }
}
