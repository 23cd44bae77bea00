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

namespace Verbatim.Modules.Audit.Erasures;

internal sealed class GetErasure : IEndpoint
{
    private static readonly HttpError NotFound = new(
        StatusCodes.Status404NotFound,
        "audit.erasure-not-found",
        "There is no erasure of this id in your organization."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/audit/erasures/{id:guid}", HandleAsync)
            .RequireScope(Scopes.AuditRead)
            .WithTags("Audit")
            .WithSummary("Read the report of an erasure")
            .WithDescription("How far it is, and what it touched.")
            .WithResponseExample(StatusCodes.Status200OK, ErasureResponse.Example)
            .ProducesError(NotFound.Status, NotFound.Code, NotFound.Message);

    private static async Task<Results<Ok<ErasureResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The erasure.")] Guid id,
        Caller caller,
        DocumentStore store,
        CancellationToken cancellationToken
    ) =>
        await store.LoadAsync<Erasure>(caller.Access, id, cancellationToken) is { } erasure
            ? TypedResults.Ok(ErasureResponse.From(id, erasure.Value))
            : Problems.Create(NotFound);
}
