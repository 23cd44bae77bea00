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

/// <summary>A deployment to make.</summary>
public sealed record CreateDeploymentRequest(
    [property: Required, StringLength(100, MinimumLength = 1)]
    [property: RegularExpression(CreateProviderRequest.NamePattern)]
    [property: Description("What records and logs call it; one of this name an organization.")]
        string Name,
    [property: Required] [property: Description("The provider that it is at.")] Guid? ProviderId,
    [property: Required, StringLength(200, MinimumLength = 1)]
    [property: RegularExpression(CreateDeploymentRequest.ModelPattern)]
    [property: Description(
        "The model name that callers use; a `*` at its end stands for any rest, and the longest match wins. Several deployments may share one."
    )]
        string Model,
    [property: StringLength(200)]
    [property: Description("The provider's name of the model, if it is another; for Azure the deployment's name.")]
        string? UpstreamModel = null,
    [property: Range(1, 1000)]
    [property: Description("Its share of the calls among deployments of the same model, 1 to 1000.")]
        int Weight = 1,
    [property: Description("Ask every stream for its usage; off for a provider that refuses `stream_options`.")]
        bool AskForUsage = true,
    [property: Range(0.001, 86400)]
    [property: Description("How long the provider may take to begin its answer, in seconds.")]
        double FirstByteTimeoutSeconds = 300,
    [property: Range(0.001, 86400)]
    [property: Description("How long an answer that has begun may pause, in seconds.")]
        double IdleTimeoutSeconds = 120,
    [property: Range(0.001, 86400)]
    [property: Description("How long one try may take in all, in seconds.")]
        double TotalTimeoutSeconds = 3600,
    [property: Range(1, 100_000)]
    [property: Description("The most calls at once from one instance; no limit if left out.")]
        int? MaxConcurrency = null,
    [property: Range(0, 100_000)]
    [property: Description("How many calls may wait for one of them to end.")]
        int MaxQueue = 0,
    [property: Range(1, 10_000_000)]
    [property: Description(
        "What to ask for where the provider's wire demands a limit of tokens and the caller set none."
    )]
        int DefaultMaxTokens = 8192,
    [property: Description("False: no call is sent to it.")] bool IsEnabled = true,
    [property: Description("Who may use it by its model name; your organization if left out.")]
        Visibility? Visibility = null,
    [property: PriceList]
    [property: Description("What it costs; one price at most may hold at any instant.")]
        IReadOnlyList<Price>? Prices = null
)
{
    internal const string ModelPattern = @"^(\*|[A-Za-z0-9][A-Za-z0-9._:/@+\-]*\*?)$";

    internal DeploymentTerms ToTerms() =>
        new(
            Name,
            ProviderId!.Value,
            Model,
            string.IsNullOrEmpty(UpstreamModel) ? null : UpstreamModel,
            Weight,
            AskForUsage,
            TimeSpan.FromSeconds(FirstByteTimeoutSeconds),
            TimeSpan.FromSeconds(IdleTimeoutSeconds),
            TimeSpan.FromSeconds(TotalTimeoutSeconds),
            MaxConcurrency,
            MaxQueue,
            DefaultMaxTokens,
            IsEnabled,
            Visibility ?? Visibility.Own,
            Prices ?? []
        );
}

internal sealed class CreateDeployment(
    CatalogueSettings settings,
    DeploymentRules rules,
    IdSource ids,
    TimeProvider time
) : IEndpoint
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/deployments", HandleAsync)
            .RequireScope(Scopes.ProvidersWrite)
            .WithTags("Deployments")
            .WithSummary("Make a deployment")
            .WithDescription("Calls of its model name are sent to it from then on.")
            .WithRequestExample(
                new CreateDeploymentRequest(
                    "mini",
                    DeploymentResponse.Example.ProviderId,
                    "fast",
                    "gpt-4o-mini",
                    Prices: DeploymentResponse.Example.Prices
                )
            )
            .WithResponseExample(StatusCodes.Status201Created, DeploymentResponse.Example)
            .ProducesError(403, Models.Visibility.CannotShare.Code, Models.Visibility.CannotShare.Message)
            .ProducesError(409, DeploymentRules.NameTaken.Code, DeploymentRules.NameTaken.Message)
            .ProducesError(422, DeploymentRules.UnknownProvider.Code, DeploymentRules.UnknownProvider.Message)
            .ProducesError(422, Models.Visibility.Invalid.Code, Models.Visibility.Invalid.Message);

    private async Task<Results<Created<DeploymentResponse>, ProblemHttpResult>> HandleAsync(
        CreateDeploymentRequest request,
        Caller caller,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var id = ids.New();
        var terms = request.ToTerms();
        var hasProvider = await rules.HasProviderAsync(caller.TenantId, terms.ProviderId, cancellationToken);
        return await settings.DecideAsync<RegisteredDeployment, Created<DeploymentResponse>>(
            caller,
            http,
            id,
            _ =>
                terms.Visibility.Refuse(caller.RunsInstallation)
                ?? (
                    hasProvider
                        ? Decision.Append(new DeploymentCreated(terms, SetBy: null, time.GetUtcNow()))
                        : ProviderRules.Refuse(DeploymentRules.UnknownProvider)
                ),
            deployment => TypedResults.Created($"/api/deployments/{id}", DeploymentResponse.From(id, deployment)),
            cancellationToken
        );
    }
}
