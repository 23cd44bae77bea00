using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Contracts;
using Verbatim.Modules.Gateway.ChatClients;
using Verbatim.Modules.Gateway.Wire.Anthropic;
using Verbatim.Modules.Gateway.Wire.OpenAi;
using Verbatim.Platform.Http;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway;

/// <summary>Models behind the OpenAI wire, each call on record.</summary>
public sealed class GatewayModule : IModule
{
    /// <inheritdoc/>
    public string Name => "gateway";

    /// <inheritdoc/>
    public void Register(IServiceCollection services, IConfiguration configuration)
    {
        services.AddValidation();
        services.AddSingleton<IErrorDialect>(OpenAiErrors.Dialect);
        services.AddSingleton<IErrorDialect>(AnthropicErrors.Dialect);
        services.AddSingleton<IModelClients, ModelClients>();
    }
}
