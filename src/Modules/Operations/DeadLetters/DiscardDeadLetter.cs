using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.DeadLetters;

internal sealed class DiscardDeadLetter : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/admin/dead-letters/{id:guid}/discard", HandleAsync)
            .RequireScope(Scopes.OperationsWrite)
            .WithTags("Operations")
            .WithSummary("Discard a dead letter")
            .WithDescription(
                "The subscription gives the event up for good; what is parked behind it is handled. The event itself stays in the log."
            )
            .WithResponseExample(StatusCodes.Status200OK, DeadLetterResponse.Example)
            .ProducesError(404, DeadLetterErrors.NotFound.Code, DeadLetterErrors.NotFound.Message)
            .ProducesError(409, DeadLetterErrors.NotWaiting.Code, DeadLetterErrors.NotWaiting.Message);

    public static Task DecideAsync(
        AppendContext context,
        DeadLetter letter,
        DocumentStore store,
        CancellationToken cancellationToken
    ) =>
        store.DecideAsync<DeadLetterDecision>(
            context,
            letter.Id,
            _ =>
                Decision
                    .Append(new DeadLetterDiscarded(letter.Subscription, letter.Position))
                    .AlsoWriting(Platform.Messaging.DeadLetters.Discard(letter)),
            cancellationToken
        );

    private static Task<Results<Ok<DeadLetterResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The dead letter.")] Guid id,
        Caller caller,
        HttpContext http,
        Platform.Messaging.DeadLetters letters,
        DocumentStore store,
        CancellationToken cancellationToken
    ) =>
        DecidedLetter.AnswerAsync(
            caller.TenantId,
            id,
            letters,
            letter => DecideAsync(caller.For(http), letter, store, cancellationToken),
            cancellationToken
        );
}
