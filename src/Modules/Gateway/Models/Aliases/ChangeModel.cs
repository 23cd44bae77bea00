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

/// <summary>What to change of a model name; what is left out stays.</summary>
public sealed record ChangeModelRequest(
    [property: RegularExpression(ModelRules.Name)] [property: Description("What callers ask for.")] string? Name = null,
    [property: MinLength(1), MaxLength(10)]
    [property: Description("Takes the place of all its tiers.")]
        IReadOnlyList<ModelTier>? Tiers = null,
    [property: StringLength(500)]
    [property: Description("A sentence for people; an empty text for none.")]
        string? Description = null,
    [property: Range(0, 3600)]
    [property: Description("When a second deployment is asked beside a first that is silent, in seconds; 0 for never.")]
        double? HedgeAfterSeconds = null,
    [property: Range(0, 10)]
    [property: Description("The most tries of a call; 0: as the configuration says.")]
        int? MaxAttempts = null,
    [property: Description("Who may use it.")] Visibility? Visibility = null
);

internal sealed class ChangeModel(CatalogueSettings settings, ModelRules rules) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPatch("/models/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ProvidersWrite)
            .WithTags("Models")
            .WithSummary("Change a model name")
            .WithDescription(
                "Changes what is given and leaves the rest. Calls that come from then on go by it, on all instances within a second; those under way are not touched."
            )
            .WithRequestExample(new ChangeModelRequest(MaxAttempts: 2))
            .WithResponseExample(StatusCodes.Status200OK, ModelResponse.Example)
            .ProducesError(403, Models.Visibility.CannotShare.Code, Models.Visibility.CannotShare.Message)
            .ProducesError(404, ModelRules.NotFound.Code, ModelRules.NotFound.Message)
            .ProducesError(409, ModelRules.NameTaken.Code, ModelRules.NameTaken.Message)
            .ProducesError(
                409,
                "gateway.set-by-configuration",
                ProviderRules.SetByConfiguration("Gateway:Models:fast").Message
            )
            .ProducesError(422, ModelRules.UnknownDeployment.Code, ModelRules.UnknownDeployment.Message)
            .ProducesError(422, Models.Visibility.Invalid.Code, Models.Visibility.Invalid.Message);

    private async Task<Results<Ok<ModelResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The model.")] Guid id,
        ChangeModelRequest request,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var haveDeployments =
            request.Tiers is not { } tiers
            || await rules.HaveDeploymentsAsync(caller.TenantId, tiers, cancellationToken);
        return await settings.DecideAsync<ModelAlias, Ok<ModelResponse>>(
            caller,
            http,
            id,
            model => Decide(model, request, haveDeployments, caller.RunsInstallation),
            model => TypedResults.Ok(ModelResponse.From(id, model)),
            cancellationToken
        );
    }

    internal static Decision Decide(
        ModelAlias? model,
        ChangeModelRequest request,
        bool haveDeployments,
        bool runsInstallation
    )
    {
        if (model is null or { DeletedAt: not null })
            return ProviderRules.Refuse(ModelRules.NotFound);
        if (model.SetBy is { } setting)
            return ProviderRules.Refuse(ProviderRules.SetByConfiguration(setting));
        if (!haveDeployments)
            return ProviderRules.Refuse(ModelRules.UnknownDeployment);
        if (request.Visibility?.Refuse(runsInstallation) is { } refusal)
            return refusal;
        var before = model.Terms;
        var after = before with
        {
            Name = request.Name ?? before.Name,
            Description = request.Description switch
            {
                null => before.Description,
                "" => null,
                var description => description,
            },
            Tiers = request.Tiers ?? before.Tiers,
            HedgeAfter = request.HedgeAfterSeconds switch
            {
                null => before.HedgeAfter,
                0 => null,
                var seconds => TimeSpan.FromSeconds(seconds.Value),
            },
            MaxAttempts = request.MaxAttempts switch
            {
                null => before.MaxAttempts,
                0 => null,
                var attempts => attempts,
            },
            Visibility = request.Visibility ?? before.Visibility,
        };
        return Content.AreSame(before, after) ? Decision.Nothing : Decision.Append(new ModelChanged(after));
    }
}
