using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Gateway;

/// <summary>The module, as Host names it.</summary>
public sealed class GatewayModule : IModule
{
    /// <inheritdoc/>
    public string Name => "gateway";

    /// <inheritdoc/>
    public void Register(IServiceCollection services, IConfiguration configuration) { }
}
