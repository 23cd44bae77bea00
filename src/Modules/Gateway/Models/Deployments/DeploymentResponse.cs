namespace Verbatim.Modules.Gateway.Models.Deployments;

/// <summary>A deployment.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">What records and logs call it.</param>
/// <param name="ProviderId">Where it is.</param>
/// <param name="Model">The model name that callers use; a <c>*</c> at its end stands for any rest.</param>
/// <param name="UpstreamModel">The provider's name of the model; null: the caller's is sent on.</param>
/// <param name="Weight">Its share of the calls among deployments of the same model.</param>
/// <param name="AskForUsage">Every stream is asked for its usage.</param>
/// <param name="FirstByteTimeoutSeconds">How long the provider may take to begin its answer.</param>
/// <param name="IdleTimeoutSeconds">How long an answer that has begun may pause.</param>
/// <param name="TotalTimeoutSeconds">How long one try may take in all.</param>
/// <param name="MaxConcurrency">The most calls at once from one instance; null for no limit.</param>
/// <param name="MaxQueue">How many calls may wait for one of them to end.</param>
/// <param name="DefaultMaxTokens">What is asked for where the provider demands a limit of tokens and the caller set none.</param>
/// <param name="IsEnabled">Calls are sent to it.</param>
/// <param name="Visibility">Who may use it by its model name.</param>
/// <param name="Prices">What it costs.</param>
/// <param name="SetBy">The setting of the configuration that it comes from, and where alone it can be changed; null when the API manages it.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record DeploymentResponse(
    Guid Id,
    string Name,
    Guid ProviderId,
    string Model,
    string? UpstreamModel,
    int Weight,
    bool AskForUsage,
    double FirstByteTimeoutSeconds,
    double IdleTimeoutSeconds,
    double TotalTimeoutSeconds,
    int? MaxConcurrency,
    int MaxQueue,
    int DefaultMaxTokens,
    bool IsEnabled,
    Visibility Visibility,
    IReadOnlyList<Price> Prices,
    string? SetBy,
    DateTimeOffset CreatedAt
)
{
    internal static readonly DeploymentResponse Example = From(
        Guid.Parse("0199a4c3-0b52-7d19-8c64-3e1f9a2b5d88"),
        new RegisteredDeployment(
            DeploymentTerms.Default("mini", Guid.Parse("0199a4c2-7f10-7c3e-9d51-2f0c8d1e4a77"), "fast") with
            {
                UpstreamModel = "gpt-4o-mini",
                Prices =
                [
                    new Price(
                        new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
                        ValidTo: null,
                        0.15m,
                        0.6m,
                        CacheRead: 0.075m
                    ),
                ],
            },
            SetBy: null,
            new DateTimeOffset(2026, 3, 2, 9, 31, 0, TimeSpan.Zero),
            DeletedAt: null
        )
    );

    internal static DeploymentResponse From(Guid id, RegisteredDeployment deployment) =>
        new(
            id,
            deployment.Terms.Name,
            deployment.Terms.ProviderId,
            deployment.Terms.Model,
            deployment.Terms.UpstreamModel,
            deployment.Terms.Weight,
            deployment.Terms.AskForUsage,
            deployment.Terms.FirstByteTimeout.TotalSeconds,
            deployment.Terms.IdleTimeout.TotalSeconds,
            deployment.Terms.TotalTimeout.TotalSeconds,
            deployment.Terms.MaxConcurrency,
            deployment.Terms.MaxQueue,
            deployment.Terms.DefaultMaxTokens,
            deployment.Terms.IsEnabled,
            deployment.Terms.Visibility,
            deployment.Terms.Prices,
            deployment.SetBy,
            deployment.CreatedAt
        );
}
