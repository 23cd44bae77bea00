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

namespace Verbatim.Modules.Gateway.Models.Deployments;

/// <summary>What to change of a deployment; what is left out stays.</summary>
public sealed record ChangeDeploymentRequest(
    [property: StringLength(100, MinimumLength = 1)]
    [property: RegularExpression(CreateProviderRequest.NamePattern)]
    [property: Description("What records and logs call it.")]
        string? Name = null,
    [property: Description("The provider that it is at.")] Guid? ProviderId = null,
    [property: StringLength(200, MinimumLength = 1)]
    [property: RegularExpression(CreateDeploymentRequest.ModelPattern)]
    [property: Description("The model name that callers use; a `*` at its end stands for any rest.")]
        string? Model = null,
    [property: StringLength(200)]
    [property: Description("The provider's name of the model; an empty text: the caller's is sent on.")]
        string? UpstreamModel = null,
    [property: Range(1, 1000)]
    [property: Description("Its share of the calls among deployments of the same model.")]
        int? Weight = null,
    [property: Description("Ask every stream for its usage.")] bool? AskForUsage = null,
    [property: Range(0.001, 86400)]
    [property: Description("How long the provider may take to begin its answer, in seconds.")]
        double? FirstByteTimeoutSeconds = null,
    [property: Range(0.001, 86400)]
    [property: Description("How long an answer that has begun may pause, in seconds.")]
        double? IdleTimeoutSeconds = null,
    [property: Range(0.001, 86400)]
    [property: Description("How long one try may take in all, in seconds.")]
        double? TotalTimeoutSeconds = null,
    [property: Range(0, 100_000)]
    [property: Description("The most calls at once from one instance; 0 for no limit.")]
        int? MaxConcurrency = null,
    [property: Range(0, 100_000)]
    [property: Description("How many calls may wait for one of them to end.")]
        int? MaxQueue = null,
    [property: Range(1, 10_000_000)]
    [property: Description("What to ask for where the provider's wire demands a limit of tokens.")]
        int? DefaultMaxTokens = null,
    [property: Description("False: no call is sent to it.")] bool? IsEnabled = null,
    [property: Description("Who may use it by its model name.")] Visibility? Visibility = null,
    [property: PriceList]
    [property: Description("What it costs; takes the place of all prices that it has.")]
        IReadOnlyList<Price>? Prices = null
);

internal sealed class ChangeDeployment(CatalogueSettings settings, DeploymentRules rules) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPatch("/deployments/{id:guid}", HandleAsync)
            .RequireScope(Scopes.ProvidersWrite)
            .WithTags("Deployments")
            .WithSummary("Change a deployment")
            .WithDescription(
                "Changes what is given and leaves the rest. Calls that come from then on go by it, on all instances within a second; those under way are not touched. A call costs what held when it came."
            )
            .WithRequestExample(new ChangeDeploymentRequest(IsEnabled: false))
            .WithResponseExample(StatusCodes.Status200OK, DeploymentResponse.Example)
            .ProducesError(403, Models.Visibility.CannotShare.Code, Models.Visibility.CannotShare.Message)
            .ProducesError(404, DeploymentRules.NotFound.Code, DeploymentRules.NotFound.Message)
            .ProducesError(409, DeploymentRules.NameTaken.Code, DeploymentRules.NameTaken.Message)
            .ProducesError(
                409,
                "gateway.set-by-configuration",
                ProviderRules.SetByConfiguration("Gateway:Deployments:mini").Message
            )
            .ProducesError(422, DeploymentRules.UnknownProvider.Code, DeploymentRules.UnknownProvider.Message)
            .ProducesError(422, Models.Visibility.Invalid.Code, Models.Visibility.Invalid.Message);

    private async Task<Results<Ok<DeploymentResponse>, ProblemHttpResult>> HandleAsync(
        [Description("The deployment.")] Guid id,
        ChangeDeploymentRequest request,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var hasProvider =
            request.ProviderId is not { } providerId
            || await rules.HasProviderAsync(caller.TenantId, providerId, cancellationToken);
        return await settings.DecideAsync<RegisteredDeployment, Ok<DeploymentResponse>>(
            caller,
            http,
            id,
            deployment => Decide(deployment, request, hasProvider, caller.RunsInstallation),
            deployment => TypedResults.Ok(DeploymentResponse.From(id, deployment)),
            cancellationToken
        );
    }

    internal static Decision Decide(
        RegisteredDeployment? deployment,
        ChangeDeploymentRequest request,
        bool hasProvider,
        bool runsInstallation
    )
    {
        if (deployment is null or { DeletedAt: not null })
            return ProviderRules.Refuse(DeploymentRules.NotFound);
        if (deployment.SetBy is { } setting)
            return ProviderRules.Refuse(ProviderRules.SetByConfiguration(setting));
        if (!hasProvider)
            return ProviderRules.Refuse(DeploymentRules.UnknownProvider);
        if (request.Visibility?.Refuse(runsInstallation) is { } refusal)
            return refusal;
        var before = deployment.Terms;
        var after = before with
        {
            Name = request.Name ?? before.Name,
            ProviderId = request.ProviderId ?? before.ProviderId,
            Model = request.Model ?? before.Model,
            UpstreamModel = request.UpstreamModel switch
            {
                null => before.UpstreamModel,
                "" => null,
                var model => model,
            },
            Weight = request.Weight ?? before.Weight,
            AskForUsage = request.AskForUsage ?? before.AskForUsage,
            FirstByteTimeout = Seconds(request.FirstByteTimeoutSeconds) ?? before.FirstByteTimeout,
            IdleTimeout = Seconds(request.IdleTimeoutSeconds) ?? before.IdleTimeout,
            TotalTimeout = Seconds(request.TotalTimeoutSeconds) ?? before.TotalTimeout,
            MaxConcurrency = request.MaxConcurrency switch
            {
                null => before.MaxConcurrency,
                0 => null,
                var limit => limit,
            },
            MaxQueue = request.MaxQueue ?? before.MaxQueue,
            DefaultMaxTokens = request.DefaultMaxTokens ?? before.DefaultMaxTokens,
            IsEnabled = request.IsEnabled ?? before.IsEnabled,
            Visibility = request.Visibility ?? before.Visibility,
            Prices = request.Prices ?? before.Prices,
        };
        return Content.AreSame(before, after) ? Decision.Nothing : Decision.Append(new DeploymentChanged(after));
    }

    private static TimeSpan? Seconds(double? seconds) => seconds is { } s ? TimeSpan.FromSeconds(s) : null;
}
