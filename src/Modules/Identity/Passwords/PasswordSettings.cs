using System.Globalization;
using Microsoft.Extensions.Configuration;
using Verbatim.Platform.Configuration;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>How passwords are hashed.</summary>
/// <param name="Iterations">Rounds of PBKDF2; an older hash with fewer is made anew at the next login.</param>
internal sealed record PasswordSettings(int Iterations)
{
    /// <summary>OWASP's figure for PBKDF2-HMAC-SHA512 ("Password Storage Cheat Sheet"); nothing less is taken, not even for tests.</summary>
    public const int MinIterations = 210_000;

    private const int MaxIterations = 10_000_000;
    private const string Name = "Identity:Passwords:Iterations";

    public static PasswordSettings Read(IConfiguration configuration)
    {
        if (configuration[Name] is not { Length: > 0 } text)
            return new PasswordSettings(MinIterations);
        if (
            !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
            || iterations is < MinIterations or > MaxIterations
        )
            throw new SettingException(
                $"{Name} is '{text}'; valid is a whole number from {MinIterations} to {MaxIterations}."
            );
        return new PasswordSettings(iterations);
    }
}
