using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using Verbatim.Platform.Http;
using Verbatim.Platform.Messaging;

namespace Verbatim.Modules.Operations.DeadLetters;

/// <summary>Answers a decision about a dead letter: one that waits, and that nobody decides about at the same time.</summary>
internal static class DecidedLetter
{
    public static async Task<Results<Ok<DeadLetterResponse>, ProblemHttpResult>> AnswerAsync(
        Guid tenantId,
        Guid id,
        Platform.Messaging.DeadLetters letters,
        Func<DeadLetter, Task> decide,
        CancellationToken cancellationToken
    )
    {
        if (await letters.FindAsync(tenantId, id, cancellationToken) is not { } letter)
            return Problems.Create(DeadLetterErrors.NotFound);
        if (!await TryAsync(letter, decide))
            return Problems.Create(DeadLetterErrors.NotWaiting);
        var after = await letters.FindAsync(tenantId, id, cancellationToken);
        return TypedResults.Ok(DeadLetterResponse.From(after ?? letter));
    }

    /// <returns>False when it does not wait, or does not any more.</returns>
    public static async Task<bool> TryAsync(DeadLetter letter, Func<DeadLetter, Task> decide)
    {
        if (letter.Status != "waiting")
            return false;
        try
        {
            await decide(letter);
            return true;
        }
        catch (PostgresException e) when (e.SqlState == Platform.Messaging.DeadLetters.AlreadyDecided)
        {
            return false;
        }
    }
}
