using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Models.Deployments;

/// <summary>A model, or a family of models, at a provider: what calls of a model name can be sent to.</summary>
/// <param name="Terms">What administrators decide about it.</param>
/// <param name="SetBy">The setting of the configuration that it comes from; null when it is managed by the API.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="DeletedAt">When it was deleted, for good.</param>
[StreamType("deployment", Owner = DocumentOwner.Organization)]
internal sealed record RegisteredDeployment(
    DeploymentTerms Terms,
    string? SetBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DeletedAt
) : IDocument<RegisteredDeployment>
{
    public static RegisteredDeployment Evolve(RegisteredDeployment? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, DeploymentCreated e) => new RegisteredDeployment(e.Terms, e.SetBy, e.CreatedAt, DeletedAt: null),
            ({ DeletedAt: null } deployment, DeploymentChanged e) => deployment with { Terms = e.Terms },
            ({ DeletedAt: null } deployment, DeploymentDeleted e) => deployment with { DeletedAt = e.DeletedAt },
            _ => throw new UnexpectedEventException(typeof(RegisteredDeployment), @event),
        };
}

/// <summary>What administrators decide about a deployment.</summary>
/// <param name="Name">What records and logs call it; one of this name an organization.</param>
/// <param name="ProviderId">Where it is.</param>
/// <param name="Model">The model name that callers use; a <c>*</c> at its end stands for any rest.</param>
/// <param name="UpstreamModel">The provider's name of the model; null: the caller's is sent on.</param>
/// <param name="Weight">Its share of the calls among deployments of the same model: 1 to 1000.</param>
/// <param name="AskForUsage">Ask every stream for its usage, also when the caller did not.</param>
/// <param name="FirstByteTimeout">How long the provider may take to begin its answer.</param>
/// <param name="IdleTimeout">How long an answer that has begun may pause.</param>
/// <param name="TotalTimeout">How long one try may take in all.</param>
/// <param name="MaxConcurrency">The most calls at once from one instance; null for no limit.</param>
/// <param name="MaxQueue">How many calls may wait for one of them to end.</param>
/// <param name="DefaultMaxTokens">What to ask for where the provider's wire demands a limit of tokens and the caller set none.</param>
/// <param name="IsEnabled">False: no call is sent to it.</param>
/// <param name="Visibility">Who may use it by its model name.</param>
/// <param name="Prices">What it costs; one price at most holds at any instant.</param>
internal sealed record DeploymentTerms(
    string Name,
    Guid ProviderId,
    string Model,
    string? UpstreamModel,
    int Weight,
    bool AskForUsage,
    TimeSpan FirstByteTimeout,
    TimeSpan IdleTimeout,
    TimeSpan TotalTimeout,
    int? MaxConcurrency,
    int MaxQueue,
    int DefaultMaxTokens,
    bool IsEnabled,
    Visibility Visibility,
    IReadOnlyList<Price> Prices
)
{
    /// <summary>One about which nothing else was said.</summary>
    public static DeploymentTerms Default(string name, Guid providerId, string model) =>
        new(
            name,
            providerId,
            model,
            UpstreamModel: null,
            Weight: 1,
            AskForUsage: true,
            FirstByteTimeout: TimeSpan.FromMinutes(5),
            IdleTimeout: TimeSpan.FromMinutes(2),
            TotalTimeout: TimeSpan.FromHours(1),
            MaxConcurrency: null,
            MaxQueue: 0,
            DefaultMaxTokens: 8192,
            IsEnabled: true,
            Visibility.Own,
            Prices: []
        );

    /// <summary>As this instance routes by it.</summary>
    public DeploymentSettings ToSettings(Guid id) =>
        new(id, Name, ProviderId, Model, UpstreamModel)
        {
            Weight = Weight,
            AskForUsage = AskForUsage,
            FirstByteTimeout = FirstByteTimeout,
            IdleTimeout = IdleTimeout,
            TotalTimeout = TotalTimeout,
            MaxConcurrency = MaxConcurrency,
            MaxQueue = MaxQueue,
            DefaultMaxTokens = DefaultMaxTokens,
            Prices = Prices,
        };
}

/// <summary>Calls can be sent to a deployment from now on.</summary>
[EventType("gateway.deployment-created")]
internal sealed record DeploymentCreated(DeploymentTerms Terms, string? SetBy, DateTimeOffset CreatedAt)
    : ISettingChange;

/// <summary>Something about a deployment is different from now on.</summary>
[EventType("gateway.deployment-changed")]
internal sealed record DeploymentChanged(DeploymentTerms Terms) : ISettingChange;

/// <summary>A deployment is gone.</summary>
[EventType("gateway.deployment-deleted")]
internal sealed record DeploymentDeleted(DateTimeOffset DeletedAt) : ISettingChange;
