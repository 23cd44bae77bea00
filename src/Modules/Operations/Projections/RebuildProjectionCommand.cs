using Verbatim.Platform.Events;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.Projections;

/// <summary>Has a projection built anew by whichever servers run.</summary>
[Command(
    "rebuild-projection",
    Usage = "<name>",
    Summary = "Makes a projection's table anew beside the live one, and shows it when it is as far."
)]
internal sealed class RebuildProjectionCommand(
    Platform.Messaging.Projections projections,
    DocumentStore store,
    Operator @operator
) : ICommand
{
    public async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        if (arguments is not [var name])
            throw new CommandUsageException("Give the name of one projection.");
        if (projections.Find(name) is not { } projection)
        {
            await output.WriteLineAsync($"There is no projection '{name}'.");
            return 1;
        }
        if (await @operator.ForEverybodyAsync(cancellationToken) is not { } context)
        {
            await output.WriteLineAsync("The log is empty: start the server first.");
            return 1;
        }
        var isBegun = await RebuildProjection.TryAsync(context, projection, projections, store, cancellationToken);
        await output.WriteLineAsync(
            isBegun
                ? $"{projection} is built anew by a running server; ./run subscriptions shows how far it is."
                : $"{projection} is being built already."
        );
        return isBegun ? 0 : 1;
    }
}
