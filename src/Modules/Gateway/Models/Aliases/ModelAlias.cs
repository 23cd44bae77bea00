using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Verbatim.Modules.Gateway.Providers;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Models.Aliases;

/// <summary>A model name of an organization's own: which deployments answer for it, and in which order.</summary>
/// <param name="Terms">What administrators decide about it.</param>
/// <param name="SetBy">The setting of the configuration that it comes from; null when it is managed by the API.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="DeletedAt">When it was deleted, for good.</param>
[StreamType("model", Owner = DocumentOwner.Organization)]
internal sealed record ModelAlias(ModelTerms Terms, string? SetBy, DateTimeOffset CreatedAt, DateTimeOffset? DeletedAt)
    : IDocument<ModelAlias>
{
    public static ModelAlias Evolve(ModelAlias? current, IEvent @event) =>
        (current, @event) switch
        {
            (null, ModelCreated e) => new ModelAlias(e.Terms, e.SetBy, e.CreatedAt, DeletedAt: null),
            ({ DeletedAt: null } model, ModelChanged e) => model with { Terms = e.Terms },
            ({ DeletedAt: null } model, ModelDeleted e) => model with { DeletedAt = e.DeletedAt },
            _ => throw new UnexpectedEventException(typeof(ModelAlias), @event),
        };
}

/// <summary>What administrators decide about a model name.</summary>
/// <param name="Name">What callers ask for.</param>
/// <param name="Description">A sentence for people.</param>
/// <param name="Tiers">Deployments that share the calls; the next tier only when the one before cannot help.</param>
/// <param name="HedgeAfter">When a second deployment is asked beside a first that is silent; null for never.</param>
/// <param name="MaxAttempts">The most tries of a call; null: as the configuration says.</param>
/// <param name="Visibility">Who may use it.</param>
internal sealed record ModelTerms(
    string Name,
    string? Description,
    IReadOnlyList<ModelTier> Tiers,
    TimeSpan? HedgeAfter,
    int? MaxAttempts,
    Visibility Visibility
);

/// <summary>Deployments that share the calls of a model by their weights.</summary>
/// <param name="Deployments">At least one.</param>
public sealed record ModelTier(
    [property: Required, MinLength(1), MaxLength(20)]
    [property: Description("The deployments that share the calls.")]
        IReadOnlyList<TierDeployment> Deployments
);

/// <summary>A deployment in a tier.</summary>
/// <param name="DeploymentId">The deployment.</param>
/// <param name="Weight">Its share of the calls among those of the tier: 1 to 1000.</param>
public sealed record TierDeployment(
    [property: Description("The deployment.")] Guid DeploymentId,
    [property: Range(1, 1000)]
    [property: Description("Its share of the calls among those of the tier, 1 to 1000.")]
        int Weight = 1
);

/// <summary>A model name can be asked from now on.</summary>
[EventType("gateway.model-created")]
internal sealed record ModelCreated(ModelTerms Terms, string? SetBy, DateTimeOffset CreatedAt) : ISettingChange;

/// <summary>Something about a model name is different from now on.</summary>
[EventType("gateway.model-changed")]
internal sealed record ModelChanged(ModelTerms Terms) : ISettingChange;

/// <summary>A model name is gone.</summary>
[EventType("gateway.model-deleted")]
internal sealed record ModelDeleted(DateTimeOffset DeletedAt) : ISettingChange;
