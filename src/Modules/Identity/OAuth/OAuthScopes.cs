using Verbatim.Modules.Identity.Tokens;

namespace Verbatim.Modules.Identity.OAuth;

/// <summary>The parameter <c>scope</c> (RFC 6749 §3.3).</summary>
internal static class OAuthScopes
{
    // Longer than all that there are.
    private const int MaxLength = 2000;

    /// <summary>Reads the parameter; each scope once.</summary>
    /// <returns>Null when it does not follow the grammar.</returns>
    public static IReadOnlyList<string>? Parse(string text)
    {
        if (text.Length > MaxLength)
            return null;
        var scopes = text.Split(' ');
        return Array.TrueForAll(scopes, s => AccessTokenClaims.IsScope(s))
            ? [.. scopes.Distinct(StringComparer.Ordinal)]
            : null;
    }

    /// <summary>As a response writes it.</summary>
    public static string Write(IEnumerable<string> scopes) => string.Join(' ', scopes);
}
