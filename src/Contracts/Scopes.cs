namespace Verbatim.Contracts;

/// <summary>What a credential may do. A route demands one of them; a role or an API key grants some.</summary>
public static class Scopes
{
    /// <summary>Ask models for answers.</summary>
    public const string InferencesCreate = "inferences:create";

    /// <summary>See which models there are.</summary>
    public const string ModelsRead = "models:read";

    /// <summary>Read one's own account.</summary>
    public const string AccountRead = "account:read";

    /// <summary>Change one's own account: its password.</summary>
    public const string AccountWrite = "account:write";

    /// <summary>List API keys.</summary>
    public const string ApiKeysRead = "api-keys:read";

    /// <summary>Create and revoke API keys.</summary>
    public const string ApiKeysWrite = "api-keys:write";

    /// <summary>List the people of the organization.</summary>
    public const string UsersRead = "users:read";

    /// <summary>Add people to the organization.</summary>
    public const string UsersWrite = "users:write";

    /// <summary>Read every stream of the organization, with all that was said in it.</summary>
    public const string AuditRead = "audit:read";

    /// <summary>Erase a person for good.</summary>
    public const string PersonalDataErase = "personal-data:erase";

    /// <summary>List OAuth clients.</summary>
    public const string OAuthClientsRead = "oauth-clients:read";

    /// <summary>Register, change and delete OAuth clients.</summary>
    public const string OAuthClientsWrite = "oauth-clients:write";

    /// <summary>List external identity providers.</summary>
    public const string IdentityProvidersRead = "identity-providers:read";

    /// <summary>Register, change and delete external identity providers.</summary>
    public const string IdentityProvidersWrite = "identity-providers:write";

    /// <summary>See how background work fares: subscriptions, dead letters, jobs.</summary>
    public const string OperationsRead = "operations:read";

    /// <summary>Pause, retry, discard and cancel background work.</summary>
    public const string OperationsWrite = "operations:write";

    /// <summary>Every scope, in the order of their words.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        AccountRead,
        AccountWrite,
        ApiKeysRead,
        ApiKeysWrite,
        AuditRead,
        IdentityProvidersRead,
        IdentityProvidersWrite,
        InferencesCreate,
        ModelsRead,
        OAuthClientsRead,
        OAuthClientsWrite,
        OperationsRead,
        OperationsWrite,
        PersonalDataErase,
        UsersRead,
        UsersWrite,
    ];
}
