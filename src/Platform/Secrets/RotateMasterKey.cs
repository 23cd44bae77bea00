using System.Globalization;
using Verbatim.Platform.Modules;
using Verbatim.Platform.Postgres;

namespace Verbatim.Platform.Secrets;

/// <summary>
/// Replaces the master key: a new one seals, and everything that the old one sealed is sealed anew. What was sealed itself, personal data
/// above all, is not touched: only the keys that it is sealed with are wrapped anew.
/// </summary>
[Command(
    Name,
    Usage = $"[{Finish}]",
    Summary = $"Makes a new master key and seals all secrets under it; {Finish} then takes the old key away."
)]
internal sealed class RotateMasterKey(Database database, MasterKey masterKey, IEnumerable<SealedColumn> columns)
    : ICommand
{
    private const string Name = "rotate-master-key";
    private const string Finish = "--finish";

    public async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var isFinish = arguments is [Finish];
        if (arguments.Count > 0 && !isFinish)
            throw new CommandUsageException($"'{string.Join(' ', arguments)}' is not understood.");
        if (masterKey.Count == 1)
        {
            if (isFinish)
                return await RefuseAsync(output, "There is one master key only, so there is none to take away.");
            if (masterKey.File is null)
                return await RefuseAsync(
                    output,
                    "The master key comes from Secrets:MasterKey. Put the new key before the old one there, parted by a space, on every instance; restart them, and run this again."
                );
            masterKey.AddToFile();
        }

        await using var connection = await database.Dedicated.OpenConnectionAsync(cancellationToken);
        foreach (var column in columns.OrderBy(c => c.Table, StringComparer.Ordinal))
        {
            var count = await column.ResealAsync(connection, masterKey, cancellationToken);
            await output.WriteLineAsync(
                string.Create(CultureInfo.InvariantCulture, $"{column.Table}: {count} sealed anew")
            );
        }
        if (isFinish && masterKey.File is not null)
            masterKey.KeepCurrentInFile();
        await output.WriteLineAsync(
            (isFinish, masterKey.File) switch
            {
                (false, { } file) =>
                    $"The new key is the first in {file}; the old one behind it is still needed by whatever was sealed meanwhile. If other machines have a copy of the file, give them this one; then run '{Name} {Finish}'.",
                (false, null) => $"Run '{Name} {Finish}', and then take the old key out of Secrets:MasterKey.",
                (true, { } file) => $"The old key is gone from {file}.",
                (true, null) => "Nothing needs the old key any more: take it out of Secrets:MasterKey.",
            }
        );
        return 0;
    }

    private static async Task<int> RefuseAsync(TextWriter output, string reason)
    {
        await output.WriteLineAsync(reason);
        return 1;
    }
}
