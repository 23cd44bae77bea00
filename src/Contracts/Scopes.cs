namespace Verbatim.Contracts;

/// <summary>What a credential may do. A route demands one of them; a role or an API key grants some.</summary>
public static class Scopes
{
    /// <summary>Ask models for answers.</summary>
    public const string InferencesCreate = "inferences:create";

    /// <summary>Read model calls with what was asked and answered: one's own, or the organization's.</summary>
    public const string InferencesRead = "inferences:read";

    /// <summary>See which models there are.</summary>
    public const string ModelsRead = "models:read";

    /// <summary>Read one's own account.</summary>
    public const string AccountRead = "account:read";

    /// <summary>Change one's own account: its password.</summary>
    public const string AccountWrite = "account:write";

    /// <summary>List API keys: one's own, or the organization's.</summary>
    public const string ApiKeysRead = "api-keys:read";

    /// <summary>Create, change, rotate and revoke API keys: one's own, or the organization's.</summary>
    public const string ApiKeysWrite = "api-keys:write";

    /// <summary>See the people of the organization, and who is invited.</summary>
    public const string UsersRead = "users:read";

    /// <summary>Add and invite people, and change what they are in the organization.</summary>
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

    /// <summary>See the organizations of the installation.</summary>
    public const string OrganizationsRead = "organizations:read";

    /// <summary>Rename the organization; for administrators of the installation also create, suspend and reactivate organizations.</summary>
    public const string OrganizationsWrite = "organizations:write";

    /// <summary>See the service accounts of the organization.</summary>
    public const string ServiceAccountsRead = "service-accounts:read";

    /// <summary>Create, change and suspend service accounts, and make their API keys.</summary>
    public const string ServiceAccountsWrite = "service-accounts:write";

    /// <summary>See the providers of models, their deployments and prices, and how much of calls is recorded.</summary>
    public const string ProvidersRead = "providers:read";

    /// <summary>Change providers, deployments, models, prices, and how much of calls is recorded.</summary>
    public const string ProvidersWrite = "providers:write";

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
        InferencesRead,
        ModelsRead,
        OAuthClientsRead,
        OAuthClientsWrite,
        OperationsRead,
        OperationsWrite,
        OrganizationsRead,
        OrganizationsWrite,
        PersonalDataErase,
        ProvidersRead,
        ProvidersWrite,
        ServiceAccountsRead,
        ServiceAccountsWrite,
        UsersRead,
        UsersWrite,
    ];
}
