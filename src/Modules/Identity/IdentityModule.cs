using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Verbatim.Contracts;
using Verbatim.Modules.Identity.Authentication;
using Verbatim.Modules.Identity.Logins;
using Verbatim.Modules.Identity.Mail;
using Verbatim.Modules.Identity.OAuth;
using Verbatim.Modules.Identity.Organizations;
using Verbatim.Modules.Identity.Passwords;
using Verbatim.Platform.Events;
using Verbatim.Platform.Http;
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
        var mail = MailSettings.Read(configuration);
        services.AddSingleton(p => new Mailer(
            mail,
            p.GetRequiredService<IdSource>(),
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<Mailer>>()
        ));
        services.AddSingleton(PasswordSettings.Read(configuration));
        services.AddSingleton<IInstallation>(p => p.GetRequiredService<FirstOrganization>());
        services.AddSingleton<IDenialRecorder>(p => p.GetRequiredService<DenialRecorder>());
        services.AddSingleton(LoginSettings.Read(configuration));
        services.AddSingleton<IErrorDialect>(OAuthDialect.Instance);
    }
}
