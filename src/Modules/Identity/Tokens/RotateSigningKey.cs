using System.Globalization;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>Publishes a new key for tokens. The servers may run.</summary>
internal sealed class RotateSigningKey(SigningKeyRotation rotation) : ICommand
{
    public string Name => "rotate-signing-key";

    public string Usage => "";

    public string Summary => "Makes a new key for tokens; the old one verifies until its tokens have ended.";

    public async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        if (arguments.Count > 0)
            throw new CommandUsageException($"'{arguments[0]}' is not understood; there are no options.");
        if (await rotation.RotateAsync("system:operator", cancellationToken) is not { } published)
        {
            await output.WriteLineAsync("There is no key yet: the first start of the server makes it.");
            return 1;
        }
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"The key {published.KeyId} is published, and signs from {published.SignsFrom:yyyy-MM-ddTHH:mm:ssZ} on."
            )
        );
        return 0;
    }
}
