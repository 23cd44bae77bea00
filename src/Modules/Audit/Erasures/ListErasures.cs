using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit.Erasures;

internal sealed class ListErasures : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/erasures", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("List erasures")
            .WithDescription("The persons who were erased from your organization, by their ids, newest first.")
            .WithResponseExample(
                StatusCodes.Status200OK,
                new Page<ErasureResponse>([ErasureResponse.Example], NextCursor: null)
            );

    private static Task<Results<Ok<Page<ErasureResponse>>, ProblemHttpResult>> HandleAsync(
        [AsParameters] PageRequest page,
        Caller caller,
        DocumentStore store,
        CancellationToken cancellationToken
    ) =>
        DocumentPages.ListAsync<Erasure, ErasureResponse>(
            store,
            caller.Access,
            page,
            document => ErasureResponse.From(document.Id, document.Value),
            cancellationToken
        );
}
