using Microsoft.Extensions.DependencyInjection;
using Verbatim.Modules.Identity.OAuth.Authorization;
using Verbatim.Modules.Identity.OAuth.Clients;
using Verbatim.Modules.Identity.OAuth.Consents;
using Verbatim.Modules.Identity.OAuth.Grants;
using Verbatim.Platform.Http;

namespace Verbatim.Modules.Identity.OAuth;

/// <summary>What the authorization server is made of.</summary>
internal static class OAuthServices
{
    public static void AddOAuth(this IServiceCollection services)
    {
        services.AddSingleton<IErrorDialect>(OAuthDialect.Instance);
        services.AddSingleton<ClientAuthentication>();
        services.AddSingleton<AuthorizationCodes>();
        services.AddSingleton<AuthorizationFlow>();
        services.AddSingleton<ConsentRecords>();
        services.AddSingleton<LoginFreshness>();
        services.AddSingleton<IdTokens>();
        services.AddSingleton<TokenGrants>();
        services.AddSingleton<TokenLookup>();
        services.AddSingleton<RevokedTokens>();
    }
}
