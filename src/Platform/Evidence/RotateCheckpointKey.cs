using Verbatim.Platform.Modules;

namespace Verbatim.Platform.Evidence;

/// <summary>Retires the key that signs checkpoints. Its private half is deleted; what it has signed stays valid.</summary>
[Command(
    "rotate-checkpoint-key",
    Usage = "",
    Summary = "Makes a new key for checkpoints; auditors need its public half beside the old one."
)]
internal sealed class RotateCheckpointKey(TreeSealer sealer, TreeReader tree) : ICommand
{
    public async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        if (arguments.Count > 0)
            throw new CommandUsageException($"'{arguments[0]}' is not understood; there are no options.");
        if (await tree.ReadSizeAsync(cancellationToken) == 0)
        {
            await output.WriteLineAsync("Nothing is signed yet: a running server signs the first checkpoint.");
            return 1;
        }
        var key = await sealer.RotateKeyAsync(cancellationToken);
        await output.WriteLineAsync($"Checkpoints are signed from now on by\n{key}");
        return 0;
    }
}
