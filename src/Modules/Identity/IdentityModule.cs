using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Modules.Identity.ApiKeys;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Modules.Identity.Users;
using Verbatim.Platform.Messaging;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity;

/// <summary>People, organizations, and the credentials that they come with.</summary>
public sealed class IdentityModule : IModule
{
    /// <inheritdoc/>
    public string Name => "identity";

    /// <inheritdoc/>
    public void Register(IServiceCollection services, IConfiguration configuration)
    {
        services.AddValidation();
        services.AddAuthentication(CredentialHandler.Scheme).AddScheme<AuthenticationSchemeOptions, CredentialHandler>(CredentialHandler.Scheme, null);
        services.AddSingleton<Passwords>();
        services.AddSingleton<FirstOrganization>();
        services.AddSingleton<ApiKeyCallers>();
        services.AddSingleton<ILogObserver>(p => p.GetRequiredService<ApiKeyCallers>());
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<SigningKeys>();
    }
}
