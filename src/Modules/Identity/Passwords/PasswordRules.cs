using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.Passwords;

/// <summary>
/// What a new password may not be. Nothing is asked about kinds of characters (NIST SP 800-63B, §3.1.1.2): length, and that nobody would try
/// it among the first.
/// </summary>
internal static class PasswordRules
{
    public const int MinLength = 12;
    public const int MaxLength = 1000;
    public const string Code = "identity.weak-password";

    // What is left of a password beside one's own name must still be worth something.
    private const int MinRest = 8;
    private const int MinName = 4;

    /// <summary>Why the password is not taken, or null.</summary>
    /// <param name="password">The new password.</param>
    /// <param name="email">The person's address.</param>
    /// <param name="organization">The name of the person's organization.</param>
    public static Refusal? Check(string password, string email, string? organization)
    {
        if (password.Length is < MinLength or > MaxLength)
            return Weak($"A password has {MinLength} to {MaxLength} characters.");
        if (CommonPasswords.Contains(password))
            return Weak("This password is among those that are tried first; choose one that nobody else would.");
        if (IsMostly(password, email) || IsMostly(password, email.Split('@')[0]))
            return Weak("This password is little more than your address; choose one that says nothing about you.");
        if (organization is not null && (IsMostly(password, organization) || IsMostly(password, Joined(organization))))
            return Weak("This password is little more than your organization's name; choose another.");
        return null;
    }

    private static Refusal Weak(string message) => new(RefusalKind.Invalid, Code, message);

    private static bool IsMostly(string password, string name) =>
        name.Length >= MinName
        && password.Contains(name, StringComparison.OrdinalIgnoreCase)
        && password.Replace(name, "", StringComparison.OrdinalIgnoreCase).Length < MinRest;

    private static string Joined(string name) => name.Replace(" ", "", StringComparison.Ordinal);
}
