using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Verbatim.Platform.Modules;

namespace Verbatim.Modules.Audit;

/// <summary>What an auditor reads: every stream, its events, and what they added up to at any moment.</summary>
public sealed class AuditModule : IModule
{
    /// <inheritdoc/>
    public string Name => "audit";

    /// <inheritdoc/>
    public void Register(IServiceCollection services, IConfiguration configuration)
    {
        services.AddValidation();
    }
}
