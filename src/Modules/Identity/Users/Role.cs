using System.Collections.Frozen;
using System.Text.Json;
using Verbatim.Contracts;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.Users;

/// <summary>What a person is in an organization; each role grants scopes.</summary>
public enum Role
{
    /// <summary>Everything, people and keys included.</summary>
    Admin,

    /// <summary>Asks models, and sees what is their own.</summary>
    User,

    /// <summary>Reads what is shared.</summary>
    Viewer,

    /// <summary>Reads everything, changes nothing.</summary>
    Auditor,
}

internal static class RoleScopes
{
    private static readonly FrozenSet<string> Admin = Scopes.All.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> User = new[]
    {
        Scopes.AccountRead,
        Scopes.AccountWrite,
        Scopes.ApiKeysRead,
        Scopes.ApiKeysWrite,
        Scopes.InferencesCreate,
        Scopes.InferencesRead,
        Scopes.ModelsRead,
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Viewer = new[]
    {
        Scopes.AccountRead,
        Scopes.AccountWrite,
        Scopes.ModelsRead,
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Auditor = new[]
    {
        Scopes.AccountRead,
        Scopes.AccountWrite,
        Scopes.ApiKeysRead,
        Scopes.AuditRead,
        Scopes.IdentityProvidersRead,
        Scopes.InferencesRead,
        Scopes.ModelsRead,
        Scopes.OAuthClientsRead,
        Scopes.OperationsRead,
        Scopes.OrganizationsRead,
        Scopes.ProvidersRead,
        Scopes.ServiceAccountsRead,
        Scopes.UsersRead,
    }.ToFrozenSet(StringComparer.Ordinal);

    public static FrozenSet<string> Of(Role role) =>
        role switch
        {
            Role.Admin => Admin,
            Role.User => User,
            Role.Viewer => Viewer,
            Role.Auditor => Auditor,
            _ => throw new ArgumentOutOfRangeException(nameof(role), role, "Not a role."),
        };

    /// <summary>What a role reaches in its organization.</summary>
    public static Reach ReachOf(Role role) =>
        role switch
        {
            Role.Admin => Reach.Organization,
            Role.Auditor => Reach.ReadsOrganization,
            _ => Reach.Own,
        };

    /// <summary>The role's word in tokens and JSON.</summary>
    public static string NameOf(Role role) => JsonNamingPolicy.CamelCase.ConvertName(role.ToString());
}
