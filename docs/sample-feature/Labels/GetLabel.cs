using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Modules.Gateway.Labels;

internal sealed class GetLabel : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/labels/{id:guid}", HandleAsync)
            .RequireScope(Scopes.InferencesCreate)
            .WithTags("Labels")
            .WithSummary("Read a label")
            .WithDescription("With the number of calls that were filed under it.")
            .WithResponseExample(StatusCodes.Status200OK, LabelResponse.Example)
            .ProducesError(404, "gateway.label-not-found", "There is no such label.");

    private static async Task<Results<Ok<LabelResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The label.")] Guid id,
        Caller caller,
        DocumentStore store,
        Database database,
        CancellationToken cancellationToken
    )
    {
        if (await store.LoadAsync<Label>(caller.Access, id, cancellationToken) is not { Value: var label })
            return Problems.NotFound("gateway.label-not-found", "There is no such label.");

        await using var count = database.Writes.CreateCommand(
            "select count(*) from gateway.labelled_calls where tenant_id = $1 and label_id = $2"
        );
        count.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = caller.TenantId });
        count.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        var calls = (long)(await count.ExecuteScalarAsync(cancellationToken))!;
        return TypedResults.Ok(new LabelResponse(id, label.Name, label.Description, calls));
    }
}
