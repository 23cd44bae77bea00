using System.Data;
using System.Globalization;
using Verbatim.Evidence;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Evidence;

/// <summary>Checks the database itself against its own checkpoints, and against those that were kept outside.</summary>
[Command(
    "verify",
    Usage = "[--key <key or file>]… [--checkpoint <file>]…",
    Summary = "Hashes every event again and compares tree, checkpoints and signatures; says the first position that is wrong."
)]
internal sealed class VerifyLog(Database database, TreeReader tree) : ICommand
{
    public async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var (given, notes) = await ReadAsync(arguments, cancellationToken);
        var keys = given.Count > 0 ? given : [.. (await tree.ReadKeysAsync(cancellationToken)).Select(k => k.Key)];
        var kept = new Dictionary<long, Checkpoint>();
        if (KeptNotes.Open(notes, keys, kept) is { } problem)
            throw new CommandUsageException(problem);

        await using var connection = await database.Dedicated.OpenConnectionAsync(cancellationToken);
        // One moment of everything, while the server goes on.
        await using var moment = await connection.BeginTransactionAsync(
            IsolationLevel.RepeatableRead,
            cancellationToken
        );
        var report = await new LogCheck(connection, keys, kept).RunAsync(cancellationToken);
        if (report.Problem is not null)
        {
            await output.WriteLineAsync(Text($"NOT proven. Position {report.Position}: {report.Problem}"));
            return 1;
        }
        await output.WriteLineAsync(
            Text(
                $"Proven: the events 1 to {report.TreeSize}, by {report.Checkpoints} checkpoints. Nothing was changed, removed or inserted, and the tree is the one that was signed."
            )
        );
        if (report.Head > report.TreeSize)
            await output.WriteLineAsync(Text($"{report.Head - report.TreeSize} newer events are not signed yet."));
        if (given.Count == 0)
            await output.WriteLineAsync(
                "The keys are those that the database names: whoever rules it could have changed them too. Give --key with what you kept."
            );
        if (kept.Count == 0)
            await output.WriteLineAsync(
                "By itself a database cannot show that its newest events were cut off: give --checkpoint with what you kept."
            );
        return 0;
    }

    private static async Task<(List<NoteKey> Keys, List<string> Notes)> ReadAsync(
        IReadOnlyList<string> arguments,
        CancellationToken cancellationToken
    )
    {
        var (keys, notes) = (new List<NoteKey>(), new List<string>());
        for (var i = 0; i < arguments.Count; i += 2)
        {
            if (i + 1 == arguments.Count)
                throw new CommandUsageException($"'{arguments[i]}' needs a value, or is no option.");
            var value = arguments[i + 1];
            switch (arguments[i])
            {
                case "--key":
                    var texts = File.Exists(value)
                        ? (await ReadFileAsync(value, cancellationToken)).Split(
                            '\n',
                            StringSplitOptions.RemoveEmptyEntries
                        )
                        : [value];
                    foreach (var text in texts)
                        keys.Add(
                            NoteKey.TryParse(text, out var key)
                                ? key
                                : throw new CommandUsageException(
                                    $"'{text}' is neither a public key (name+id+base64) nor a file of them."
                                )
                        );
                    break;
                case "--checkpoint":
                    notes.AddRange(KeptNotes.Split(await ReadFileAsync(value, cancellationToken)));
                    break;
                default:
                    throw new CommandUsageException($"There is no option '{arguments[i]}'.");
            }
        }
        return (keys, notes);
    }

    private static async Task<string> ReadFileAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllTextAsync(path, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandUsageException($"'{path}' cannot be read: {e.Message}");
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
