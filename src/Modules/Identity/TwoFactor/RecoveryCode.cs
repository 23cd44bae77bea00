using System.Security.Cryptography;
using System.Text;

namespace Verbatim.Modules.Identity.TwoFactor;

/// <summary>
/// Codes for whoever has lost their authenticator: <c>k7m2p-9xw4t-hq3vd</c>, 15 letters and digits of 32 (75 bits), so that a plain hash of one
/// cannot be searched backwards.
/// </summary>
internal static class RecoveryCode
{
    /// <summary>How many a person gets.</summary>
    public const int Count = 10;

    private const int Length = 15;
    private const int Group = 5;

    // Without the letters and digits that are mistaken for each other.
    private const string Alphabet = "abcdefghjkmnpqrstvwxyz0123456789";

    public static IReadOnlyList<string> NewSet() => [.. Enumerable.Range(0, Count).Select(_ => New())];

    /// <summary>The hash of a code, however it is spaced and in whatever case.</summary>
    public static byte[] HashOf(string code)
    {
        var plain = string.Concat(code.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
        return SHA256.HashData(Encoding.UTF8.GetBytes($"identity.recovery-code\0{plain}"));
    }

    /// <summary>Whether a text could be one, and not a code of an authenticator.</summary>
    public static bool LooksLikeOne(string text) => text.Count(char.IsAsciiLetterOrDigit) == Length;

    private static string New()
    {
        var code = RandomNumberGenerator.GetString(Alphabet, Length);
        return string.Join('-', code.Chunk(Group).Select(g => new string(g)));
    }
}
