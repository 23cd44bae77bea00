using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.DeadLetters;

/// <summary>Which dead letters to list.</summary>
public sealed record ListDeadLettersRequest
{
    /// <summary>The subscription.</summary>
    [RegularExpression("[a-z0-9.-]{1,100}", ErrorMessage = "Give the name of a subscription, in lower case.")]
    [Description("Only those of this subscription.")]
    public string? Subscription { get; init; }

    /// <summary>The status.</summary>
    [AllowedValues(
        null,
        "waiting",
        "retrying",
        "discarding",
        "parked",
        "handled",
        "discarded",
        ErrorMessage = "Give one of: waiting, retrying, discarding, parked, handled, discarded."
    )]
    [Description("Only those of this status: `waiting`, `retrying`, `discarding`, `parked`, `handled`, `discarded`.")]
    public string? Status { get; init; }
}

internal sealed class ListDeadLetters : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/admin/dead-letters", HandleAsync)
            .RequireScope(Scopes.OperationsRead)
            .WithTags("Operations")
            .WithSummary("List dead letters")
            .WithDescription(
                """
                Events of your organization that a subscription could not handle, newest first, and those that wait behind them so that the order
                within a stream stays. Send the same filters with the cursor.
                """
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<DeadLetterResponse>([DeadLetterResponse.Example], NextCursor: null)
            )
            .ProducesError(400, IdCursor.Invalid.Code, IdCursor.Invalid.Message);

    private static async Task<Results<Ok<Page<DeadLetterResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] ListDeadLettersRequest request,
        [AsParameters] PageRequest page,
        Caller caller,
        Platform.Messaging.DeadLetters letters,
        CancellationToken cancellationToken
    )
    {
        if (!IdCursor.TryRead(page.Cursor, out var before))
            return Problems.Create(IdCursor.Invalid);
        var read = await letters.ListAsync(
            caller.TenantId,
            request.Subscription,
            request.Status,
            before,
            page.Rows + 1,
            cancellationToken
        );
        var rows = read.Take(page.Rows).Select(l => DeadLetterResponse.From(l)).ToList();
        return TypedResults.Ok(
            new Page<DeadLetterResponse>(rows, read.Count > page.Rows ? IdCursor.Write(rows[^1].Id) : null)
        );
    }
}
