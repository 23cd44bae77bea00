using Verbatim.Platform.Messaging;

namespace Verbatim.Modules.Operations.Subscriptions;

/// <summary>How a subscription fares. Position and lag are about the whole server, dead letters about your organization.</summary>
/// <param name="Name">The subscription.</param>
/// <param name="EventTypes">The events that it handles; none when this build does not have it any more.</param>
/// <param name="State">
/// `running`; `failing`, with an event that is tried again and again; `paused`; `idle`, when no instance runs it.
/// </param>
/// <param name="Position">It has handled everything up to this position of the log.</param>
/// <param name="Lag">The events behind that, of whatever type.</param>
/// <param name="LagSeconds">The age of the first of them.</param>
/// <param name="Holder">The instance that runs it.</param>
/// <param name="Lanes">How many streams it handles side by side.</param>
/// <param name="PausedAt">Since when it is paused.</param>
/// <param name="FailingPosition">The event that it fails at now.</param>
/// <param name="FailedAttempts">How often it has.</param>
/// <param name="LastError">Why; told only when the event is your organization's.</param>
/// <param name="DeadLetters">Events of your organization that wait for a decision.</param>
/// <param name="Parked">Events of your organization that wait behind them.</param>
public sealed record SubscriptionResponse(
    string Name,
    IReadOnlyList<string> EventTypes,
    string State,
    long Position,
    long Lag,
    double LagSeconds,
    Guid? Holder,
    int Lanes,
    DateTime? PausedAt,
    long? FailingPosition,
    int FailedAttempts,
    string? LastError,
    long DeadLetters,
    long Parked
)
{
    internal static readonly SubscriptionResponse Example = new(
        "usage.settle-on-inference-completed",
        ["gateway.inference-completed"],
        "running",
        Position: 4812,
        Lag: 0,
        LagSeconds: 0,
        Guid.Parse("0199a4c0-3e21-7b7a-8c1d-5f6e7a8b9c0d"),
        Lanes: 4,
        PausedAt: null,
        FailingPosition: null,
        FailedAttempts: 0,
        LastError: null,
        DeadLetters: 1,
        Parked: 2
    );

    internal static SubscriptionResponse From(SubscriptionState state, Guid tenantId) =>
        new(
            state.Name,
            state.EventTypes,
            state.State,
            state.Position,
            state.Lag,
            Math.Round(state.LagSeconds, 3),
            state.Holder,
            state.Lanes,
            state.PausedAt,
            state.FailingPosition,
            state.FailedAttempts,
            // An exception may speak of what it was handling.
            state.FailingTenantId == tenantId
                ? state.Failure
                : null,
            state.DeadLetters,
            state.Parked
        );
}
