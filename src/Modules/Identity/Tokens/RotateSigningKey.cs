using System.Globalization;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity.Tokens;

/// <summary>
/// Publishes a new key for tokens; with <c>--now</c> the keys from before verify nothing any more at once, since somebody else may have one.
/// The servers may run.
/// </summary>
[Command(
    "rotate-signing-key",
    Usage = "[--now]",
    Summary = "Makes a new key for tokens; the old one verifies until its tokens have ended, with --now no longer."
)]
internal sealed class RotateSigningKey(SigningKeyRotation rotation) : ICommand
{
    public async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var isEmergency = arguments is ["--now"];
        if (arguments.Count > 0 && !isEmergency)
            throw new CommandUsageException($"'{string.Join(' ', arguments)}' is not understood.");
        var published = isEmergency
            ? await rotation.ReplaceAsync("system:operator", cancellationToken)
            : await rotation.RotateAsync("system:operator", cancellationToken);
        if (published is null)
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
        if (isEmergency)
            await output.WriteLineAsync(
                "No other key verifies anything any more: every access token is refused, and clients get others with their refresh tokens."
            );
        return 0;
    }
}
