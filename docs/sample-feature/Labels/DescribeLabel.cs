using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Labels;

/// <summary>What a label stands for.</summary>
public sealed record DescribeLabelRequest(
    [property: Required, StringLength(200)] [property: Description("A sentence for people.")] string Description
);

internal sealed class DescribeLabel : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/labels/{id:guid}/description", HandleAsync)
            .RequireScope(Scopes.InferencesCreate)
            .WithTags("Labels")
            .WithSummary("Describe a label")
            .WithDescription("Replaces its description.")
            .WithRequestExample(new DescribeLabelRequest("Calls of the billing job"))
            .ProducesError(404, "gateway.label-not-found", "There is no such label.");

    private static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        [Description("The label.")] Guid id,
        DescribeLabelRequest request,
        Caller caller,
        HttpContext http,
        DocumentStore store,
        CancellationToken cancellationToken
    )
    {
        var outcome = await store.DecideAsync<Label>(
            caller.For(http),
            id,
            label => Decide(label, request),
            cancellationToken
        );
        return outcome.Match<Results<NoContent, ProblemHttpResult>>(
            _ => TypedResults.NoContent(),
            refusal => Problems.From(refusal)
        );
    }

    internal static Decision Decide(Label? label, DescribeLabelRequest request) =>
        label switch
        {
            null => Decision.Refuse(RefusalKind.NotFound, "gateway.label-not-found", "There is no such label."),
            { Description: var before } when before == request.Description => Decision.Nothing,
            _ => Decision.Append(new LabelDescribed(request.Description)),
        };
}
