using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.Subscriptions;

internal sealed class ListSubscriptions : IEndpoint
{
    private static readonly HttpError InvalidCursor = new(
        400,
        "invalid-cursor",
        "The cursor is not one that this list gave; leave it out to begin at the first page."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/admin/subscriptions", HandleAsync)
            .RequireScope(Scopes.OperationsRead)
            .WithTags("Operations")
            .WithSummary("List subscriptions")
            .WithDescription(
                """
                What reacts to events, by name, and how far each has come. A lag that grows means that something is slow, paused or fails: `state`
                and `lastError` tell.
                """
            )
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<SubscriptionResponse>([SubscriptionResponse.Example], NextCursor: null)
            )
            .ProducesError(400, InvalidCursor.Code, InvalidCursor.Message);

    private static async Task<Results<Ok<Page<SubscriptionResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageRequest page,
        Caller caller,
        SubscriptionStates states,
        CancellationToken cancellationToken
    )
    {
        string? after = null;
        if (page.Cursor is { } cursor)
        {
            if (!Cursor.TryRead(cursor, 1, out var parts) || parts[0].Contains('\0', StringComparison.Ordinal))
                return Problems.Create(InvalidCursor);
            after = parts[0];
        }
        var read = await states.ListAsync(caller.TenantId, after, page.Rows + 1, cancellationToken);
        var rows = read.Take(page.Rows).Select(s => SubscriptionResponse.From(s, caller.TenantId)).ToList();
        return TypedResults.Ok(
            new Page<SubscriptionResponse>(rows, read.Count > page.Rows ? Cursor.Write(rows[^1].Name) : null)
        );
    }
}
