using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;

namespace Verbatim.Modules.Identity.ExternalIdentity.Providers;

/// <summary>What must hold of a provider whenever it is registered or changed.</summary>
internal static class ProviderRules
{
    public const string NotFoundCode = "identity.identity-provider-not-found";
    public const string NotFoundMessage = "There is no such identity provider.";

    public static Decision NotFound { get; } = Decision.Refuse(RefusalKind.NotFound, NotFoundCode, NotFoundMessage);

    /// <summary>The first rule that is broken, or null.</summary>
    public static Decision? Refuse(ProviderSettings settings, IReadOnlySet<string> makerScopes)
    {
        if (!IsFetchable(settings.Issuer) || settings.Issuer.Contains('?', StringComparison.Ordinal))
            return Invalid(
                "identity.invalid-issuer",
                "'issuer' must be an https address without query and fragment (or http on this machine)."
            );
        // An invitation says what its person becomes.
        if (
            settings.LinkPolicy != LinkPolicy.InviteOnly
            && settings.DefaultRole is null
            && settings.RoleMappings.Count == 0
        )
            return Invalid("identity.no-role", "Give a 'defaultRole' or 'roleMappings': nobody could get in.");
        if (settings.RoleMappings.Count > 0 && settings.RoleClaim is null)
            return Invalid("identity.no-role-claim", "'roleMappings' need a 'roleClaim'.");
        // Or every ID token would open the API.
        if (settings.ApiAudience == settings.ClientId)
            return Invalid("identity.invalid-audience", "'apiAudience' must be another one than 'clientId'.");
        var roles = settings.RoleMappings.Select(m => m.Role);
        if (settings.DefaultRole is { } role)
            roles = roles.Append(role);
        if (roles.Any(r => !RoleScopes.Of(r).All(makerScopes.Contains)))
            return Decision.Refuse(
                RefusalKind.Forbidden,
                "identity.role-beyond-yours",
                "You cannot give a role that may do more than you."
            );
        return null;
    }

    /// <summary>Whether something may be fetched from an address: over TLS, or without leaving the machine.</summary>
    public static bool IsFetchable(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
        && uri.UserInfo.Length == 0
        && uri.Fragment.Length == 0;

    private static Decision Invalid(string code, string message) => Decision.Refuse(RefusalKind.Invalid, code, message);
}
