namespace Verbatim.Modules.Gateway.Models.Aliases;

/// <summary>A model name of an organization's own.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">What callers ask for.</param>
/// <param name="Description">A sentence for people.</param>
/// <param name="Tiers">Deployments that share the calls; the next tier only when the one before cannot help.</param>
/// <param name="HedgeAfterSeconds">When a second deployment is asked beside a first that is silent; null for never.</param>
/// <param name="MaxAttempts">The most tries of a call; null: as the configuration says.</param>
/// <param name="Visibility">Who may use it.</param>
/// <param name="SetBy">The setting of the configuration that it comes from, and where alone it can be changed; null when the API manages it.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record ModelResponse(
    Guid Id,
    string Name,
    string? Description,
    IReadOnlyList<ModelTier> Tiers,
    double? HedgeAfterSeconds,
    int? MaxAttempts,
    Visibility Visibility,
    string? SetBy,
    DateTimeOffset CreatedAt
)
{
    internal static readonly ModelResponse Example = From(
        Guid.Parse("0199a4c4-19d7-7a02-b1c3-77e0d2f4a693"),
        new ModelAlias(
            new ModelTerms(
                "fast",
                "What is quick and cheap.",
                [new ModelTier([new TierDeployment(Guid.Parse("0199a4c3-0b52-7d19-8c64-3e1f9a2b5d88"))])],
                TimeSpan.FromSeconds(2),
                MaxAttempts: 3,
                Visibility.Own
            ),
            SetBy: null,
            new DateTimeOffset(2026, 3, 2, 9, 32, 0, TimeSpan.Zero),
            DeletedAt: null
        )
    );

    internal static ModelResponse From(Guid id, ModelAlias model) =>
        new(
            id,
            model.Terms.Name,
            model.Terms.Description,
            model.Terms.Tiers,
            model.Terms.HedgeAfter?.TotalSeconds,
            model.Terms.MaxAttempts,
            model.Terms.Visibility,
            model.SetBy,
            model.CreatedAt
        );
}
