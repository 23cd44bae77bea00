using System.Globalization;
using Verbatim.Platform.Events;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Operations.DeadLetters;

/// <summary>The dead letters of all organizations, for whoever runs the server.</summary>
[Command(
    "dead-letters",
    Usage = "[retry|discard <id>|--all]",
    Summary = "Lists events that a subscription could not handle, or has them handled again or given up."
)]
internal sealed class DeadLettersCommand(Platform.Messaging.DeadLetters letters, DocumentStore store) : ICommand
{
    private const int PageSize = 200;

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
            case ["retry" or "discard", "--all"]:
                return await DecideAllAsync(arguments[0], output, cancellationToken);
            case ["retry" or "discard", var text] when Guid.TryParse(text, out var id):
                return await DecideAsync(arguments[0], id, output, cancellationToken);
            case ["retry" or "discard", var text]:
                throw new CommandUsageException($"'{text}' is neither the id of a dead letter nor --all.");
            default:
                throw new CommandUsageException($"'{string.Join(' ', arguments)}' is not understood.");
        }
    }

    private async Task ListAsync(TextWriter output, CancellationToken cancellationToken)
    {
        var isEmpty = true;
        await foreach (var letter in WaitingAsync(cancellationToken))
        {
            isEmpty = false;
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{letter.Id}  {letter.Subscription}  {letter.Type} at {letter.Position} ({letter.Attempts} attempts, last {letter.LastFailedAt:u})"
                )
            );
            await output.WriteLineAsync($"  {letter.Reason}");
        }
        if (isEmpty)
            await output.WriteLineAsync("No dead letter waits for a decision.");
    }

    private async Task<int> DecideAllAsync(string verb, TextWriter output, CancellationToken cancellationToken)
    {
        var decided = 0;
        await foreach (var letter in WaitingAsync(cancellationToken))
        {
            if (await TryAsync(verb, letter, cancellationToken))
                decided++;
        }
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"{decided} dead letters: {verb}. A running server does it.")
        );
        return 0;
    }

    private async Task<int> DecideAsync(string verb, Guid id, TextWriter output, CancellationToken cancellationToken)
    {
        if (await letters.FindAsync(tenantId: null, id, cancellationToken) is not { } letter)
        {
            await output.WriteLineAsync($"There is no dead letter {id}; ./run dead-letters lists them.");
            return 1;
        }
        if (!await TryAsync(verb, letter, cancellationToken))
        {
            await output.WriteLineAsync($"{DeadLetterErrors.NotWaiting.Message} It is {letter.Status}.");
            return 1;
        }
        await output.WriteLineAsync($"{id}: {verb}. A running server does it.");
        return 0;
    }

    private Task<bool> TryAsync(string verb, DeadLetter letter, CancellationToken cancellationToken) =>
        DecidedLetter.TryAsync(
            letter,
            l =>
                verb == "retry"
                    ? RetryDeadLetter.DecideAsync(Operator.For(l.TenantId), l, store, cancellationToken)
                    : DiscardDeadLetter.DecideAsync(Operator.For(l.TenantId), l, store, cancellationToken)
        );

    private async IAsyncEnumerable<DeadLetter> WaitingAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        Guid? before = null;
        while (true)
        {
            var page = await letters.ListAsync(null, null, "waiting", before, PageSize, cancellationToken);
            foreach (var letter in page)
                yield return letter;
            if (page.Count < PageSize)
                yield break;
            before = page[^1].Id;
        }
    }
}
