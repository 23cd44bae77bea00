using Verbatim.Contracts;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.ApiKeys;

/// <summary>What a caller may grant: nothing that they do not have themselves.</summary>
internal static class ScopeGrant
{
    /// <summary>Each scope once, in the order of their words.</summary>
    public static IReadOnlyList<string> Normalize(IEnumerable<string> scopes) =>
        [.. scopes.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Why these scopes cannot be granted, or null.</summary>
    /// <param name="caller">Who grants.</param>
    /// <param name="scopes">What is to be granted, in full.</param>
    /// <param name="already">What the key has already: it may stay, whoever changes the rest.</param>
    public static Decision? Refuse(Caller caller, IReadOnlyList<string> scopes, IReadOnlyList<string>? already = null)
    {
        if (scopes.Count == 0)
            return Decision.Refuse(
                RefusalKind.Invalid,
                "identity.no-scope",
                "Name at least one scope, or leave 'scopes' out."
            );
        if (scopes.FirstOrDefault(s => !Scopes.All.Contains(s, StringComparer.Ordinal)) is { } unknown)
            return Decision.Refuse(
                RefusalKind.Invalid,
                "identity.unknown-scope",
                $"There is no scope '{unknown}'. The scopes are {string.Join(", ", Scopes.All)}."
            );
        return
            scopes.FirstOrDefault(s =>
                !caller.Scopes.Contains(s) && already?.Contains(s, StringComparer.Ordinal) != true
            )
                is { } beyond
            ? Decision.Refuse(
                RefusalKind.Forbidden,
                "identity.scope-beyond-yours",
                $"You cannot grant '{beyond}': you do not have it yourself."
            )
            : null;
    }
}
