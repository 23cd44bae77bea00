using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
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

namespace Verbatim.Modules.Gateway.Labels;

/// <summary>A label to make.</summary>
public sealed record CreateLabelRequest(
    [property: Required, RegularExpression("[a-z0-9-]{1,50}")]
    [property: Description("Lower-case letters, digits and hyphens.")]
        string Name
);

internal sealed class CreateLabel : IEndpoint
{
    private static readonly HttpError NameTaken = new(
        409,
        "gateway.label-exists",
        "There is a label of this name already."
    );

    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/labels", HandleAsync)
            .RequireScope(Scopes.InferencesCreate)
            .WithTags("Labels")
            .WithSummary("Make a label")
            .WithDescription("From now on, calls are filed under it.")
            .WithRequestExample(new CreateLabelRequest(LabelResponse.Example.Name))
            .WithResponseExample(StatusCodes.Status201Created, LabelResponse.Example)
            .ProducesError(NameTaken.Status, NameTaken.Code, NameTaken.Message);

    private static async Task<Results<Created<LabelResponse>, ProblemHttpResult>> HandleAsync(
        CreateLabelRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        IdSource ids,
        CancellationToken cancellationToken
    )
    {
        var id = ids.New();
        try
        {
            await store.DecideAsync<Label>(
                caller.For(http),
                id,
                _ => Decision.Append(new LabelCreated(request.Name)),
                cancellationToken
            );
        }
        catch (PostgresException e) when (e.ConstraintName == "label_name")
        {
            return Problems.Create(NameTaken);
        }
        return TypedResults.Created(
            $"/api/labels/{id}",
            new LabelResponse(id, request.Name, Description: null, Calls: 0)
        );
    }
}
