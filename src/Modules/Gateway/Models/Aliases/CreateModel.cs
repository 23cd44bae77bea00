using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
using Verbatim.Platform.Http.OpenApi;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway.Models.Aliases;

/// <summary>A model name to make.</summary>
public sealed record CreateModelRequest(
    [property: Required, RegularExpression(ModelRules.Name)]
    [property: Description("What callers ask for; one of this name an organization.")]
        string Name,
    [property: Required, MinLength(1), MaxLength(10)]
    [property: Description(
        "Deployments that share the calls by their weights; the next tier only when the one before cannot help."
    )]
        IReadOnlyList<ModelTier> Tiers,
    [property: StringLength(500)] [property: Description("A sentence for people.")] string? Description = null,
    [property: Range(0.001, 3600)]
    [property: Description(
        "When a second deployment is asked beside a first that is silent, in seconds; never if left out."
    )]
        double? HedgeAfterSeconds = null,
    [property: Range(1, 10)]
    [property: Description("The most tries of a call; as the configuration says if left out.")]
        int? MaxAttempts = null,
    [property: Description("Who may use it; your organization if left out.")] Visibility? Visibility = null
)
{
    internal ModelTerms ToTerms() =>
        new(
            Name,
            Description,
            Tiers,
            HedgeAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            MaxAttempts,
            Visibility ?? Visibility.Own
        );
}

internal sealed class CreateModel(CatalogueSettings settings, ModelRules rules, IdSource ids, TimeProvider time)
    : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/models", HandleAsync)
            .RequireScope(Scopes.ProvidersWrite)
            .WithTags("Models")
            .WithSummary("Make a model name")
            .WithDescription(
                "Callers can ask for it from then on. It stands before deployments of the same model name, and before what is shared by others."
            )
            .WithRequestExample(
                new CreateModelRequest(
                    ModelResponse.Example.Name,
                    ModelResponse.Example.Tiers,
                    ModelResponse.Example.Description,
                    HedgeAfterSeconds: 2
                )
            )
            .WithResponseExample(StatusCodes.Status201Created, ModelResponse.Example)
            .ProducesError(403, Models.Visibility.CannotShare.Code, Models.Visibility.CannotShare.Message)
            .ProducesError(409, ModelRules.NameTaken.Code, ModelRules.NameTaken.Message)
            .ProducesError(422, ModelRules.UnknownDeployment.Code, ModelRules.UnknownDeployment.Message)
            .ProducesError(422, Models.Visibility.Invalid.Code, Models.Visibility.Invalid.Message);

    private async Task<Results<Created<ModelResponse>, ProblemHttpResult>> HandleAsync(
        CreateModelRequest request,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var id = ids.New();
        var terms = request.ToTerms();
        var haveDeployments = await rules.HaveDeploymentsAsync(caller.TenantId, terms.Tiers, cancellationToken);
        return await settings.DecideAsync<ModelAlias, Created<ModelResponse>>(
            caller,
            http,
            id,
            _ =>
                terms.Visibility.Refuse(caller.RunsInstallation)
                ?? (
                    haveDeployments
                        ? Decision.Append(new ModelCreated(terms, SetBy: null, time.GetUtcNow()))
                        : ProviderRules.Refuse(ModelRules.UnknownDeployment)
                ),
            model => TypedResults.Created($"/api/models/{id}", ModelResponse.From(id, model)),
            cancellationToken
        );
    }
}
