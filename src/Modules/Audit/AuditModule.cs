using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit;

/// <summary>The module, as Host names it.</summary>
public sealed class AuditModule : IModule
{
    /// <inheritdoc/>
    public string Name => "audit";

    /// <inheritdoc/>
    public void Register(IServiceCollection services, IConfiguration configuration) { }
}
