using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Tokens;
using Verbatim.Modules.Identity.Users;
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
        // The core alone: the rest would bring data protection, and with it keys of its own in the home folder.
        services.AddAuthenticationCore(options =>
        {
            options.DefaultScheme = CredentialHandler.Scheme;
            options.AddScheme<CredentialHandler>(CredentialHandler.Scheme, displayName: null);
        });
        services.AddWebEncoders();
        services.TryAddTransient<CredentialHandler>();
        services.AddSingleton<Passwords>();
        services.AddSingleton<FirstOrganization>();
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<SigningKeyRotation>();
    }
}
