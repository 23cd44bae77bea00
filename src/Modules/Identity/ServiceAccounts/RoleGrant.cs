using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.ServiceAccounts;

/// <summary>Which roles a caller may give: those that may nothing that the caller may not.</summary>
internal static class RoleGrant
{
    /// <summary>Why this role cannot be given, as a decision, or null.</summary>
    public static Decision? Refuse(Caller caller, Role role) =>
        Check(caller, role) is { } refusal ? Decision.Refuse(refusal.Kind, refusal.Code, refusal.Message) : null;

    /// <summary>Why this role cannot be given, or null.</summary>
    public static Refusal? Check(Caller caller, Role role) =>
        RoleScopes.Of(role).All(caller.Scopes.Contains)
            ? null
            : new Refusal(
                RefusalKind.Forbidden,
                "identity.role-beyond-yours",
                $"You cannot give the role '{RoleScopes.NameOf(role)}': it may do what your credential may not."
            );
}
