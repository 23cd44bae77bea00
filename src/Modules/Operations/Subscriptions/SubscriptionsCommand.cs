using System.Globalization;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.Subscriptions;

/// <summary>The subscriptions of the whole server, for whoever runs it.</summary>
[Command(
    "subscriptions",
    Usage = "[pause|resume <name>]",
    Summary = "Lists what reacts to events and how far it has come, or lets one rest or go on."
)]
internal sealed class SubscriptionsCommand(SubscriptionStates states, DocumentStore store, Operator @operator)
    : ICommand
{
    private const int MaxRows = 1000;

    public async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        switch (arguments)
        {
            case []:
                await ListAsync(output, cancellationToken);
                return 0;
            case ["pause" or "resume", var name]:
                return await SwitchAsync(arguments[0] == "pause", name, output, cancellationToken);
            default:
                throw new CommandUsageException($"'{string.Join(' ', arguments)}' is not understood.");
        }
    }

    private async Task ListAsync(TextWriter output, CancellationToken cancellationToken)
    {
        var all = await states.ListAsync(tenantId: null, after: null, MaxRows, cancellationToken);
        if (all.Count == 0)
            await output.WriteLineAsync("There are no subscriptions.");
        foreach (var state in all)
        {
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{state.Name}  {state.State}  at {state.Position}, {state.Lag} behind ({state.LagSeconds:0.#} s)  dead letters: {state.DeadLetters}, parked: {state.Parked}"
                )
            );
            if (state.FailingPosition is { } position)
                await output.WriteLineAsync(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"  fails at {position} ({state.FailedAttempts} times): {state.Failure}"
                    )
                );
        }
    }

    private async Task<int> SwitchAsync(
        bool pauses,
        string name,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        if (await states.FindAsync(tenantId: null, name, cancellationToken) is not { } state)
        {
            await output.WriteLineAsync($"There is no subscription '{name}'; ./run subscriptions lists them.");
            return 1;
        }
        if (await @operator.ForEverybodyAsync(cancellationToken) is not { } context)
        {
            await output.WriteLineAsync("The log is empty: start the server first.");
            return 1;
        }
        var hasChanged = pauses
            ? await PauseSubscription.DecideAsync(context, state, store, cancellationToken)
            : await ResumeSubscription.DecideAsync(context, state, store, cancellationToken);
        await output.WriteLineAsync(
            $"{name} {(hasChanged ? "is" : "was already")} {(pauses ? "paused" : "running, or about to")}."
        );
        return 0;
    }
}
