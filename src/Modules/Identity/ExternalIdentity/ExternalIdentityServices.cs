using Microsoft.Extensions.DependencyInjection;
using Verbatim.Modules.Identity.ExternalIdentity.Logins;
using Verbatim.Modules.Identity.ExternalIdentity.Providers;

namespace Verbatim.Modules.Identity.ExternalIdentity;

/// <summary>What logins with identity providers are made of.</summary>
internal static class ExternalIdentityServices
{
    public static void AddExternalIdentity(this IServiceCollection services)
    {
        services.AddSingleton<ActiveProviders>();
        services.AddSingleton<ProviderDocuments>();
        services.AddSingleton<ExternalLoginStates>();
        services.AddSingleton<ExternalPeople>();
    }
}
