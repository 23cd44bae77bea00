using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Identity;

/// <summary>The module, as Host names it.</summary>
public sealed class IdentityModule : IModule
{
    /// <inheritdoc/>
    public string Name => "identity";

    /// <inheritdoc/>
    public void Register(IServiceCollection services, IConfiguration configuration) { }
}
